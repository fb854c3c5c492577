//! Reads from the voice and hands on to the listener, at the same time: the voice is read ahead of
//! the listener, within a limit, so that its connection is soon free again.

use std::collections::VecDeque;
use std::future::Future;
use std::time::Duration;

use antiphon_proto::SegmentId;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::super::{SpeakEvent, SpeakEventKind};
use super::shaper::{Made, Ready, SENTENCE_MS_MAX, Shaper};
use crate::net::HttpLimits;
use crate::{Fault, FaultKind};

/// Longest wait for the marks of audio that is there; then they are estimated.
const MARKS_WAIT: Duration = Duration::from_millis(120);

/// Where audio and times come from.
pub(crate) trait Source: Send {
    /// What was made next; losing the future loses nothing.
    fn next(&mut self) -> impl Future<Output = Result<Vec<Made>, Fault>> + Send;

    /// Nothing more is read, which may be long before all was handed on: all came, or the source
    /// is of no use any more.
    fn read(&mut self, is_whole: bool);
}

/// The way to the session.
pub(super) struct Out {
    pub(super) segment: SegmentId,
    pub(super) events: mpsc::Sender<SpeakEvent>,
}

/// The session does not listen any more.
#[derive(Debug)]
pub(super) struct Unheard;

impl Out {
    pub(super) async fn send(&self, kind: SpeakEventKind) -> Result<(), Unheard> {
        let segment = self.segment;
        let sent = self.events.send(SpeakEvent { segment, kind }).await;
        sent.map_err(|_| Unheard)
    }
}

/// Reads one sentence to its end; gives back how that was. What came before a failure is handed
/// on first.
pub(super) async fn deliver(
    source: &mut impl Source,
    shaper: &mut Shaper,
    out: &Out,
    limits: &HttpLimits,
) -> Result<Result<(), Fault>, Unheard> {
    let mut queue = VecDeque::new();
    let mut read_at = Instant::now();
    let first_by = read_at + limits.first_timeout;
    let mut failure: Option<Fault> = None;
    let mut needs_marks_since: Option<Instant> = None;
    loop {
        if queue.is_empty() && fill(&mut queue, shaper, &mut needs_marks_since) {
            return Ok(failure.map_or(Ok(()), Err));
        }
        let is_reading = !shaper.is_ended() && !shaper.is_full();
        if !is_reading {
            // It is not the voice that stands still.
            read_at = Instant::now();
        }
        let late_at = if shaper.received_ms() == 0 {
            first_by
        } else {
            read_at + limits.idle_timeout
        };
        let wake = needs_marks_since.map_or(late_at, |since| late_at.min(since + MARKS_WAIT));
        let ended = tokio::select! {
            biased;
            permit = out.events.reserve(), if !queue.is_empty() => {
                let permit = permit.map_err(|_| Unheard)?;
                if let Some(kind) = queue.pop_front() {
                    permit.send(SpeakEvent { segment: out.segment, kind });
                }
                continue;
            }
            () = out.events.closed() => return Err(Unheard),
            made = source.next(), if is_reading => {
                read_at = Instant::now();
                made.and_then(|made| take(shaper, made))
            }
            () = sleep_until(wake), if is_reading => {
                if Instant::now() < late_at {
                    continue;
                }
                Err(late(shaper, limits))
            }
        };
        if let Err(fault) = ended {
            shaper.break_off();
            source.read(false);
            failure = Some(fault);
        } else if shaper.is_ended() {
            source.read(true);
        }
    }
}

/// Takes what can be handed on; true where nothing more will come.
fn fill(
    queue: &mut VecDeque<SpeakEventKind>,
    shaper: &mut Shaper,
    needs_marks_since: &mut Option<Instant>,
) -> bool {
    match shaper.ready() {
        Ready::Yes => {
            *needs_marks_since = None;
            shaper.pop(queue);
        }
        Ready::NeedsMarks => {
            let since = *needs_marks_since.get_or_insert_with(Instant::now);
            if since.elapsed() >= MARKS_WAIT {
                shaper.pop(queue);
            }
        }
        Ready::No => *needs_marks_since = None,
        Ready::Over => {
            shaper.pop(queue);
            return queue.is_empty();
        }
    }
    false
}

fn take(shaper: &mut Shaper, made: Vec<Made>) -> Result<(), Fault> {
    for made in made {
        shaper.take(made);
    }
    if shaper.received_ms() > SENTENCE_MS_MAX {
        return Err(Fault::new(
            FaultKind::Malformed,
            format!(
                "more than {} s of audio for one sentence",
                SENTENCE_MS_MAX / 1_000
            ),
        ));
    }
    Ok(())
}

fn late(shaper: &Shaper, limits: &HttpLimits) -> Fault {
    let reason = if shaper.received_ms() == 0 {
        format!("no audio within {} ms", limits.first_timeout.as_millis())
    } else {
        format!(
            "the audio stood still for {} ms",
            limits.idle_timeout.as_millis()
        )
    };
    Fault::new(FaultKind::TooSlow, reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::speak::spoken_form::SpokenForm;

    /// Makes 100 ms at a time, for ever, and counts.
    struct Endless {
        made_ms: u32,
    }

    impl Source for Endless {
        async fn next(&mut self) -> Result<Vec<Made>, Fault> {
            tokio::task::yield_now().await;
            self.made_ms += 100;
            Ok(vec![Made::Audio(vec![0; 1_600])])
        }

        fn read(&mut self, _is_whole: bool) {}
    }

    fn shaper() -> Shaper {
        Shaper::new(SpokenForm::plain("one two"), 8_000, 220.0, false)
    }

    #[tokio::test]
    async fn reads_ahead_so_far_and_no_further() {
        let (events, _kept) = mpsc::channel(1);
        let out = Out {
            segment: SegmentId(1),
            events,
        };
        let (mut source, mut shaper) = (Endless { made_ms: 0 }, shaper());
        let limits = HttpLimits::default();
        let delivering = deliver(&mut source, &mut shaper, &out, &limits);
        let waited = tokio::time::timeout(Duration::from_millis(500), delivering).await;
        assert!(waited.is_err(), "the listener takes nothing: {waited:?}");
        assert!(
            (30_000..31_000).contains(&source.made_ms),
            "{} ms were read",
            source.made_ms
        );
    }

    #[tokio::test]
    async fn a_sentence_that_never_ends_is_malformed() {
        let (events, mut heard) = mpsc::channel(64);
        let out = Out {
            segment: SegmentId(1),
            events,
        };
        let drain = tokio::spawn(async move { while heard.recv().await.is_some() {} });
        let (mut source, mut shaper) = (Endless { made_ms: 0 }, shaper());
        let ended = deliver(&mut source, &mut shaper, &out, &HttpLimits::default()).await;
        assert!(
            matches!(&ended, Ok(Err(fault)) if fault.kind == FaultKind::Malformed),
            "{ended:?}"
        );
        drop(out);
        assert!(drain.await.is_ok());
    }
}
