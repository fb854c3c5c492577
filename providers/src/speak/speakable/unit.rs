//! Units of measurement.

/// Sign, one, many. Those whose sign is also a word or hardly used behind a space are below.
const UNITS: &[(&str, &str, &str)] = &[
    ("km", "kilometer", "kilometers"),
    ("m", "meter", "meters"),
    ("cm", "centimeter", "centimeters"),
    ("mm", "millimeter", "millimeters"),
    ("µm", "micrometer", "micrometers"),
    ("μm", "micrometer", "micrometers"),
    ("nm", "nanometer", "nanometers"),
    ("mi", "mile", "miles"),
    ("ft", "foot", "feet"),
    ("yd", "yard", "yards"),
    ("kg", "kilogram", "kilograms"),
    ("g", "gram", "grams"),
    ("mg", "milligram", "milligrams"),
    ("µg", "microgram", "micrograms"),
    ("μg", "microgram", "micrograms"),
    ("mcg", "microgram", "micrograms"),
    ("lb", "pound", "pounds"),
    ("lbs", "pound", "pounds"),
    ("oz", "ounce", "ounces"),
    ("l", "liter", "liters"),
    ("L", "liter", "liters"),
    ("ml", "milliliter", "milliliters"),
    ("mL", "milliliter", "milliliters"),
    ("dL", "deciliter", "deciliters"),
    ("cl", "centiliter", "centiliters"),
    ("gal", "gallon", "gallons"),
    ("qt", "quart", "quarts"),
    ("tsp", "teaspoon", "teaspoons"),
    ("tbsp", "tablespoon", "tablespoons"),
    ("s", "second", "seconds"),
    ("sec", "second", "seconds"),
    ("secs", "second", "seconds"),
    ("ms", "millisecond", "milliseconds"),
    ("µs", "microsecond", "microseconds"),
    ("μs", "microsecond", "microseconds"),
    ("ns", "nanosecond", "nanoseconds"),
    ("min", "minute", "minutes"),
    ("mins", "minute", "minutes"),
    ("h", "hour", "hours"),
    ("hr", "hour", "hours"),
    ("hrs", "hour", "hours"),
    ("wk", "week", "weeks"),
    ("wks", "week", "weeks"),
    ("yr", "year", "years"),
    ("yrs", "year", "years"),
    ("mph", "mile per hour", "miles per hour"),
    ("kph", "kilometer per hour", "kilometers per hour"),
    ("kmh", "kilometer per hour", "kilometers per hour"),
    ("Hz", "hertz", "hertz"),
    ("kHz", "kilohertz", "kilohertz"),
    ("MHz", "megahertz", "megahertz"),
    ("GHz", "gigahertz", "gigahertz"),
    ("W", "watt", "watts"),
    ("kW", "kilowatt", "kilowatts"),
    ("MW", "megawatt", "megawatts"),
    ("GW", "gigawatt", "gigawatts"),
    ("Wh", "watt hour", "watt hours"),
    ("kWh", "kilowatt hour", "kilowatt hours"),
    ("V", "volt", "volts"),
    ("mV", "millivolt", "millivolts"),
    ("kV", "kilovolt", "kilovolts"),
    ("mA", "milliampere", "milliamperes"),
    ("mAh", "milliampere hour", "milliampere hours"),
    ("Ω", "ohm", "ohms"),
    ("kΩ", "kiloohm", "kiloohms"),
    ("kJ", "kilojoule", "kilojoules"),
    ("cal", "calorie", "calories"),
    ("kcal", "kilocalorie", "kilocalories"),
    ("N", "newton", "newtons"),
    ("Pa", "pascal", "pascals"),
    ("kPa", "kilopascal", "kilopascals"),
    ("hPa", "hectopascal", "hectopascals"),
    ("psi", "P S I", "P S I"),
    ("°C", "degree Celsius", "degrees Celsius"),
    ("°F", "degree Fahrenheit", "degrees Fahrenheit"),
    ("℃", "degree Celsius", "degrees Celsius"),
    ("℉", "degree Fahrenheit", "degrees Fahrenheit"),
    ("°", "degree", "degrees"),
    ("ºC", "degree Celsius", "degrees Celsius"),
    ("ºF", "degree Fahrenheit", "degrees Fahrenheit"),
    ("KB", "kilobyte", "kilobytes"),
    ("kB", "kilobyte", "kilobytes"),
    ("MB", "megabyte", "megabytes"),
    ("GB", "gigabyte", "gigabytes"),
    ("TB", "terabyte", "terabytes"),
    ("PB", "petabyte", "petabytes"),
    ("KiB", "kibibyte", "kibibytes"),
    ("MiB", "mebibyte", "mebibytes"),
    ("GiB", "gibibyte", "gibibytes"),
    ("kbps", "kilobit per second", "kilobits per second"),
    ("Kbps", "kilobit per second", "kilobits per second"),
    ("Mbps", "megabit per second", "megabits per second"),
    ("Gbps", "gigabit per second", "gigabits per second"),
    ("px", "pixel", "pixels"),
    ("dpi", "dot per inch", "dots per inch"),
    ("fps", "frame per second", "frames per second"),
    ("rpm", "revolution per minute", "revolutions per minute"),
    ("bpm", "beat per minute", "beats per minute"),
    ("dB", "decibel", "decibels"),
    ("ppm", "part per million", "parts per million"),
    ("ha", "hectare", "hectares"),
    ("sqft", "square foot", "square feet"),
    ("cc", "C C", "C C"),
    ("mmHg", "millimeter of mercury", "millimeters of mercury"),
    ("mmol", "millimole", "millimoles"),
    ("mol", "mole", "moles"),
    ("IU", "I U", "I U"),
    ("%", "percent", "percent"),
    ("‰", "per mille", "per mille"),
];

/// Only directly behind a digit.
const CLOSE_ONLY: &[(&str, &str, &str)] = &[
    ("in", "inch", "inches"),
    ("d", "day", "days"),
    ("t", "ton", "tons"),
    ("A", "ampere", "amperes"),
    ("Kb", "kilobit", "kilobits"),
    ("Mb", "megabit", "megabits"),
    ("mo", "month", "months"),
];

/// What rates are told by besides the units.
const PER: &[(&str, &str)] = &[
    ("mo", "month"),
    ("d", "day"),
    ("day", "day"),
    ("week", "week"),
    ("month", "month"),
    ("year", "year"),
    ("y", "year"),
    ("hour", "hour"),
    ("minute", "minute"),
    ("second", "second"),
    ("ea", "each"),
    ("in", "inch"),
];

/// A unit's name for a count; `close` where its sign stands directly behind the digits.
pub(super) fn name(sign: &str, singular: bool, close: bool) -> Option<String> {
    let simple = |sign: &str, singular: bool| {
        let more = if close { CLOSE_ONLY } else { &[] };
        let found = UNITS
            .iter()
            .chain(more)
            .find(|(known, _, _)| *known == sign)?;
        Some(if singular { found.1 } else { found.2 })
    };
    if let Some(name) = simple(sign, singular) {
        return Some(name.to_owned());
    }
    if let Some((top, bottom)) = sign.split_once('/') {
        let top = if top.is_empty() {
            String::new()
        } else {
            self::name(top, singular, close)?
        };
        return Some(
            format!("{top} per {}", one(bottom)?)
                .trim_start()
                .to_owned(),
        );
    }
    for (power, word) in [
        ("²", "square"),
        ("^2", "square"),
        ("2", "square"),
        ("³", "cubic"),
        ("^3", "cubic"),
        ("3", "cubic"),
    ] {
        if let Some(length) = sign
            .strip_suffix(power)
            .filter(|it| matches!(*it, "m" | "km" | "cm" | "mm" | "ft" | "mi" | "in" | "yd"))
        {
            let name = simple(length, singular).or(Some("inches").filter(|_| length == "in"))?;
            return Some(format!("{word} {name}"));
        }
    }
    None
}

/// The name of one: `kilometer`.
pub(super) fn one(sign: &str) -> Option<String> {
    if matches!(sign, "s²" | "s^2") {
        return Some("second squared".to_owned());
    }
    let per = PER.iter().find(|(known, _)| *known == sign);
    per.map(|(_, name)| (*name).to_owned())
        .or_else(|| name(sign, true, true))
}
