//! Signs: what they are called, and which are passed over.

/// What a sign is called within or between words; `None` where it is passed over.
pub(super) fn name(c: char) -> Option<&'static str> {
    Some(match c {
        '+' => "plus",
        '=' => "equals",
        '×' | '✕' => "times",
        '÷' => "divided by",
        '±' => "plus or minus",
        '−' => "minus",
        '≤' | '⩽' => "less than or equal to",
        '≥' | '⩾' => "greater than or equal to",
        '≠' => "not equal to",
        '≈' | '≅' => "approximately",
        '<' => "less than",
        '>' => "greater than",
        '~' => "about",
        '√' => "square root of",
        '∞' => "infinity",
        '∑' => "sum of",
        '∫' => "integral of",
        '∂' => "partial",
        '∆' | 'Δ' => "delta",
        'π' => "pi",
        'α' => "alpha",
        'β' => "beta",
        'γ' => "gamma",
        'θ' => "theta",
        'λ' => "lambda",
        'μ' | 'µ' => "mu",
        'σ' => "sigma",
        'Ω' => "omega",
        '∈' => "in",
        '∩' => "intersection",
        '∪' => "union",
        '→' | '⇒' | '➜' | '➔' => "to",
        '←' => "from",
        '↔' => "to and from",
        '&' => "and",
        '@' => "at",
        '%' => "percent",
        '‰' => "per mille",
        '°' => "degrees",
        '#' => "number",
        '^' => "to the power of",
        '$' => "dollars",
        '€' => "euros",
        '£' => "pounds",
        '¥' => "yen",
        '₹' => "rupees",
        '¢' => "cents",
        '§' => "section",
        '¶' => "paragraph",
        '№' => "number",
        '©' => "copyright",
        '²' => "squared",
        '³' => "cubed",
        '½' => "one half",
        '¼' => "one quarter",
        '¾' => "three quarters",
        '⅓' => "one third",
        '⅔' => "two thirds",
        '⅕' => "one fifth",
        '⅛' => "one eighth",
        '⅜' => "three eighths",
        '⅝' => "five eighths",
        '⅞' => "seven eighths",
        _ => return None,
    })
}

/// True for a character that shows nothing: joiners, marks of direction, variation selectors, tags,
/// private use.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{20d0}'..='\u{20ff}' | '\u{3164}'
            | '\u{e000}'..='\u{f8ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{ffff}' | '\u{e0000}'..='\u{10ffff}'
    )
}

/// True for pictures, which are passed over.
pub(super) fn is_emoji(c: char) -> bool {
    matches!(
        c,
        '\u{1f000}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}' | '\u{2300}'..='\u{23ff}'
            | '\u{2b00}'..='\u{2bff}' | '\u{25a0}'..='\u{25ff}' | '\u{2500}'..='\u{259f}'
            | '™' | '®' | '℠' | '〰' | '〽' | '㊗' | '㊙'
    ) && !matches!(c, '➜' | '➔' | '✕')
}
