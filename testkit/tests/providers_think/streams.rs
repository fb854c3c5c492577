//! Replies that arrive, in whatever packets and over whatever connection.

use antiphon_providers::think::Think;
use antiphon_testkit::fakes::http::{Answer, End, Wiring};
use antiphon_testkit::fakes::llm::{KEY, LlmVendor, Said, SaidEnd};
use tokio::time::{Duration, Instant};

use crate::lab::{ADAPTERS, Lab, collect, request, start, usage};

const WORDS: [&str; 4] = ["Grüße ", "aus 東京", " 🙂, ", "a domain."];
const WIRINGS: [Wiring; 3] = [Wiring::Http1, Wiring::Http1Tls, Wiring::Http2Tls];

#[tokio::test]
async fn words_come_in_order_and_usage_is_right() {
    for adapter in ADAPTERS {
        for wiring in WIRINGS {
            let vendor = adapter.vendor;
            let said = Said::words(&WORDS);
            let lab = Lab::new(adapter, wiring, move |r| vendor.answer(r, &said)).await;
            let told = lab.ask(request()).await;
            assert_eq!(told.text(), WORDS.concat(), "{adapter:?} {wiring:?}");
            assert_eq!(told.end, Ok(usage()), "{adapter:?} {wiring:?}");
            let sent = &lab.fake.exchanges()[0].request;
            assert!(!sent.target.contains(KEY), "no key in a URL");
            let body = lab.body().to_string();
            assert!(
                body.contains("You are Cal") && body.contains("what is a domain"),
                "{body}"
            );
            assert!(
                body.contains("Hello I am —"),
                "where it was cut off: {body}"
            );
        }
    }
}

#[tokio::test]
async fn each_piece_is_given_on_when_it_comes() {
    for adapter in ADAPTERS {
        let vendor = adapter.vendor;
        let said = Said::words(&["One. ", "Two. "]);
        let lab = Lab::new(adapter, Wiring::Http1, move |r| {
            // Everything up to the first words, and then nothing.
            let mut answer = vendor.answer(r, &said).ending(End::Stall);
            answer.steps.truncate(first_words(vendor, &said) + 1);
            answer
        })
        .await;
        let (_handle, mut events) = start(&lab.think, request());
        let event = tokio::time::timeout(Duration::from_secs(5), events.recv()).await;
        let kind = event.unwrap().unwrap().kind;
        let delta = antiphon_providers::think::ThinkEventKind::Delta {
            text: "One. ".into(),
        };
        assert_eq!(kind, delta, "{adapter:?}");
    }
}

/// Which event of the stream has the first words.
fn first_words(vendor: LlmVendor, said: &Said) -> usize {
    let events = vendor.stream(said);
    events
        .iter()
        .position(|event| String::from_utf8_lossy(event).contains("One."))
        .unwrap()
}

#[tokio::test]
async fn bytes_may_be_split_anywhere() {
    for adapter in ADAPTERS {
        for (wiring, sizes) in [
            (Wiring::Http1, &[1, 2, 3, 7][..]),
            (Wiring::Http1Tls, &[5][..]),
            (Wiring::Http2Tls, &[1, 3][..]),
        ] {
            for size in sizes {
                let (vendor, size) = (adapter.vendor, *size);
                let said = Said::words(&WORDS);
                let lab = Lab::new(adapter, wiring, move |r| {
                    vendor.answer(r, &said).in_packets_of(size)
                })
                .await;
                let told = lab.ask(request()).await;
                assert_eq!(
                    told.text(),
                    WORDS.concat(),
                    "{adapter:?} {wiring:?} by {size}"
                );
                assert_eq!(told.end, Ok(usage()), "{adapter:?} {wiring:?} by {size}");
            }
        }
    }
}

#[tokio::test]
async fn one_connection_serves_reply_after_reply() {
    for adapter in ADAPTERS {
        for wiring in WIRINGS {
            let vendor = adapter.vendor;
            let said = Said::words(&WORDS);
            let lab = Lab::new(adapter, wiring, move |r| vendor.answer(r, &said)).await;
            lab.think.warm().await;
            lab.think.probe().await.unwrap();
            for nth in 0..3 {
                let told = lab.ask(request()).await;
                assert_eq!(told.text(), WORDS.concat());
                // The end of the body is read behind the back of the caller.
                let ended = lab.fake.ended(2 + nth, Duration::from_secs(5)).await;
                assert!(ended.is_some());
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            assert_eq!(lab.fake.connections(), 1, "{adapter:?} {wiring:?}");
            let exchanges = lab.fake.exchanges();
            assert_eq!(exchanges.len(), 5);
            assert_eq!(
                exchanges[0].request.method, "GET",
                "warming costs no tokens"
            );
        }
    }
}

#[tokio::test]
async fn the_end_is_told_at_once_where_the_server_keeps_the_stream_open() {
    for adapter in ADAPTERS {
        let vendor = adapter.vendor;
        let said = Said::words(&WORDS);
        let script = move |r: &_| vendor.answer(r, &said).ending(End::Stall);
        let lab = Lab::new(adapter, Wiring::Http1, script).await;
        let started = Instant::now();
        let told = lab.ask(request()).await;
        assert_eq!((told.text(), told.end), (WORDS.concat(), Ok(usage())));
        assert!(
            started.elapsed() < Duration::from_secs(2),
            "{adapter:?} {:?}",
            started.elapsed()
        );
    }
}

#[tokio::test]
async fn a_reply_of_full_length_is_a_reply() {
    for adapter in ADAPTERS {
        let vendor = adapter.vendor;
        let said = Said::words(&["As long as", " it may"]).ending(SaidEnd::Length);
        let lab = Lab::new(adapter, Wiring::Http1, move |r| vendor.answer(r, &said)).await;
        let told = lab.ask(request()).await;
        assert_eq!(
            (told.text().as_str(), told.end),
            ("As long as it may", Ok(usage()))
        );
    }
}

#[tokio::test]
async fn a_finish_reason_and_nothing_behind_it_is_an_end() {
    let adapter = ADAPTERS[0];
    for tail in ["", "data: [DO", "data: {\"usage\""] {
        let body = format!(
            "data: {{\"choices\":[{{\"delta\":{{\"content\":\"Yes.\"}},\"finish_reason\":\"stop\"}}]}}\n\n{tail}"
        );
        for end in [End::Whole, End::Cut] {
            let (body, end) = (body.clone(), end.clone());
            let script =
                move |_: &_| Answer::events(vec![body.clone().into_bytes()]).ending(end.clone());
            let lab = Lab::new(adapter, Wiring::Http1, script).await;
            let told = lab.ask(request()).await;
            assert_eq!(
                (told.text().as_str(), told.end),
                ("Yes.", Ok(None)),
                "{tail}"
            );
        }
    }
}

#[tokio::test]
async fn a_slow_reader_holds_the_server_back() {
    // Nobody reads: four events fit the channel, and the rest stays in sockets and buffers.
    for (wiring, megabytes) in [(Wiring::Http1, 16), (Wiring::Http2Tls, 16)] {
        let adapter = ADAPTERS[0];
        let vendor = adapter.vendor;
        let said = Said::words(&["One. "]);
        let lab = Lab::new(adapter, wiring, move |r| {
            let mut answer = vendor.answer(r, &said);
            answer.steps.truncate(2);
            let bytes = vendor.stream(&said)[1].repeat(200);
            let every = Duration::ZERO;
            answer.ending(End::Flood { bytes, every })
        })
        .await;
        let (handle, events) = start(&lab.think, request());
        let mut before = 0;
        for _ in 0..100 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let sent = lab
                .fake
                .exchanges()
                .first()
                .map_or(0, |exchange| exchange.bytes_sent);
            if sent == before && sent > 0 {
                break;
            }
            before = sent;
        }
        assert!(
            before > 0 && before < megabytes * 1_024 * 1_024,
            "{wiring:?}: {before}"
        );
        drop(handle);
        drop(events);
    }
}

#[tokio::test]
async fn many_replies_at_once_do_not_mix() {
    for adapter in ADAPTERS {
        let vendor = adapter.vendor;
        let lab = Lab::new(adapter, Wiring::Http2Tls, move |r| {
            let body = r.json().to_string();
            let at = body.find("xyzzy ").unwrap();
            let number: String = body[at + 6..]
                .chars()
                .take_while(char::is_ascii_digit)
                .collect();
            vendor.answer(r, &Said::words(&["answer ", &number]))
        })
        .await;
        let replies = (0..50).map(|number| {
            let mut request = request();
            request.history[1].text = format!("xyzzy {number}");
            let (handle, events) = start(&lab.think, request);
            async move {
                let told = collect(events).await;
                drop(handle);
                assert_eq!(told.text(), format!("answer {number}"));
            }
        });
        let mut set = tokio::task::JoinSet::new();
        replies.for_each(|reply| {
            set.spawn(reply);
        });
        while let Some(done) = set.join_next().await {
            done.unwrap();
        }
    }
}
