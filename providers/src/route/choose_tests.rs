use antiphon_agents::Weights;

use super::*;

const FAST: View<'_> = View {
    id: "quick/one",
    region: "us",
    last_resort: false,
    breaker: BreakerState::Closed,
    admits: true,
    first_ms: 150.0,
    measured: 50,
    errors: 0.0,
    quality: 0.6,
    price: Some(200_000_000),
};
const CHEAP: View<'_> = View {
    id: "thrift/small",
    first_ms: 700.0,
    price: Some(20_000_000),
    ..FAST
};
const GOOD: View<'_> = View {
    id: "sage/large",
    region: "eu",
    first_ms: 900.0,
    quality: 0.95,
    price: Some(4_000_000_000),
    ..FAST
};

fn route(prefer: Prefer) -> Route {
    Route {
        prefer,
        ..Route::default()
    }
}

fn order(views: &[View<'_>], route: &Route, moment: Moment) -> (Vec<usize>, Why) {
    let choice = choose(views, route, moment);
    (choice.order().collect(), choice.why)
}

#[test]
fn each_policy_takes_what_it_names() {
    let views = [FAST, CHEAP, GOOD];
    let check = |prefer, first, why| {
        let (order, because) = order(&views, &route(prefer), Moment::default());
        assert_eq!((order[0], because), (first, why), "{prefer:?}");
        assert_eq!(order.len(), 3, "the others stand by");
    };
    check(Prefer::Fastest, 0, Why::Fastest);
    check(Prefer::Cheapest, 1, Why::Cheapest);
    check(Prefer::Best, 2, Why::Best);
    check(Prefer::Balanced, 0, Why::Balanced);
}

#[test]
fn weights_move_the_balance() {
    let quality = Route {
        weights: Weights {
            speed: 0.05,
            cost: 0.0,
            quality: 0.95,
        },
        ..Route::default()
    };
    assert_eq!(
        order(&[FAST, CHEAP, GOOD], &quality, Moment::default()).0[0],
        2
    );
}

#[test]
fn lists_and_regions_leave_providers_out() {
    let mut only_eu = route(Prefer::Fastest);
    only_eu.residency = vec!["eu".into()];
    assert_eq!(
        order(&[FAST, CHEAP, GOOD], &only_eu, Moment::default()),
        (vec![2], Why::Only)
    );
    let mut nobody = route(Prefer::Fastest);
    nobody.allow = vec!["other".into()];
    assert_eq!(
        order(&[FAST, CHEAP, GOOD], &nobody, Moment::default()),
        (vec![], Why::Nobody)
    );
}

#[test]
fn an_open_breaker_is_passed_over_unless_it_is_the_last_chance() {
    let open = View {
        breaker: BreakerState::Open,
        admits: false,
        ..FAST
    };
    let policy = route(Prefer::Fastest);
    assert_eq!(order(&[open, CHEAP], &policy, Moment::default()).0, [1]);
    assert_eq!(order(&[open], &policy, Moment::default()).0, [0]);
}

#[test]
fn failures_count_against_a_provider() {
    let flaky = View {
        errors: 0.9,
        ..FAST
    };
    assert_eq!(
        order(&[flaky, CHEAP], &route(Prefer::Fastest), Moment::default()).0[0],
        1
    );
}

#[test]
fn the_last_provider_stays_while_no_other_is_clearly_better() {
    let slightly_faster = View {
        first_ms: 148.0,
        ..FAST
    };
    let views = [FAST, slightly_faster];
    let policy = route(Prefer::Fastest);
    let moment = Moment {
        last: Some(0),
        ..Moment::default()
    };
    assert_eq!(order(&views, &policy, moment), (vec![0, 1], Why::Stayed));
    assert_eq!(order(&views, &policy, Moment::default()).0[0], 1);
    let much_faster = View {
        first_ms: 80.0,
        ..FAST
    };
    assert_eq!(order(&[FAST, much_faster], &policy, moment).0[0], 1);
}

#[test]
fn a_nearly_spent_budget_takes_the_cheapest() {
    let policy = Route {
        call_budget_microusd: Some(1_000),
        ..route(Prefer::Best)
    };
    let spent = |spent| Moment {
        spent,
        ..Moment::default()
    };
    let views = [FAST, CHEAP, GOOD];
    assert_eq!(order(&views, &policy, spent(799_000_000)).0[0], 2);
    assert_eq!(
        order(&views, &policy, spent(800_000_000)),
        (vec![1, 0, 2], Why::BudgetNearlySpent)
    );
}

#[test]
fn exploration_is_bounded_and_only_of_the_unknown() {
    let unknown = View {
        id: "new/one",
        measured: 1,
        first_ms: 2_000.0,
        ..FAST
    };
    let policy = route(Prefer::Fastest);
    let explored = (0..1_000)
        .filter(|&nth| {
            let moment = Moment {
                nth,
                seed: 7,
                ..Moment::default()
            };
            order(&[FAST, GOOD, unknown], &policy, moment).0[0] == 2
        })
        .count();
    assert_eq!(explored, 50, "one turn in twenty");
    let known = View {
        measured: 5,
        ..unknown
    };
    let moment = Moment {
        nth: 19,
        ..Moment::default()
    };
    assert_eq!(order(&[FAST, GOOD, known], &policy, moment).0[0], 0);
}

#[test]
fn nothing_measured_keeps_the_configured_order() {
    let new = |id| View {
        id,
        measured: 0,
        price: None,
        ..FAST
    };
    assert_eq!(
        order(
            &[new("a/1"), new("b/1")],
            &Route::default(),
            Moment::default()
        ),
        (vec![0, 1], Why::FirstListed)
    );
}

#[test]
fn a_last_resort_is_last_however_good_it_looks() {
    let own = View {
        id: "offline/",
        last_resort: true,
        first_ms: 1.0,
        price: Some(0),
        quality: 1.0,
        ..FAST
    };
    for prefer in [
        Prefer::Cheapest,
        Prefer::Fastest,
        Prefer::Best,
        Prefer::Balanced,
    ] {
        let moment = Moment {
            last: Some(0),
            ..Moment::default()
        };
        let (order, _) = order(&[own, CHEAP, GOOD], &route(prefer), moment);
        assert_eq!(order[2], 0, "{prefer:?}");
    }
    let broken = View {
        admits: false,
        breaker: BreakerState::Open,
        ..FAST
    };
    assert_eq!(
        order(&[own, broken], &route(Prefer::Best), Moment::default()).0[0],
        0
    );
}

#[test]
fn more_candidates_than_there_is_room_for_are_cut() {
    let views = [FAST; CANDIDATES_MAX + 5];
    assert_eq!(
        order(&views, &Route::default(), Moment::default()).0.len(),
        CANDIDATES_MAX
    );
}
