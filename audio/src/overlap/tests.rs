#![allow(clippy::unwrap_used)]
use super::*;

#[test]
fn silence_is_never_an_onset() {
    let mut judge = OverlapJudge::default();
    for _ in 0..500 {
        judge.push(&[0; 320], None);
        assert_eq!(judge.view(), OverlapView::default());
    }
}
