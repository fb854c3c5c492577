//! JSON schemas of tools, as each provider takes them.

use serde_json::{Map, Value, json};

use super::ToolDeclaration;

/// Nesting that is followed; a schema that refers to itself ends here.
const DEPTH_MAX: usize = 12;

/// Keywords that OpenAI's strict mode takes.
const STRICT_OPENAI: &[&str] = &[
    "type",
    "title",
    "description",
    "enum",
    "const",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "anyOf",
    "pattern",
    "format",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minItems",
    "maxItems",
];
/// Keywords that Anthropic's strict mode takes.
const STRICT_ANTHROPIC: &[&str] = &[
    "type",
    "title",
    "description",
    "enum",
    "const",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "anyOf",
];
/// Keywords of Gemini's schema, a part of OpenAPI 3.0's.
const GEMINI: &[&str] = &[
    "title",
    "description",
    "nullable",
    "required",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "minLength",
    "maxLength",
    "pattern",
];

/// Whose rules hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StrictRules {
    OpenAi,
    Anthropic,
}

/// The parameters of a tool; one that declares no JSON takes no arguments.
pub(crate) fn parameters(tool: &ToolDeclaration) -> Value {
    match serde_json::from_str(&tool.parameters) {
        Ok(value @ Value::Object(_)) => value,
        _ => json!({"type": "object", "properties": {}}),
    }
}

/// The schema for strict mode, in which a model cannot write other arguments; none where it says
/// something that strict mode has no place for (optional properties, for one).
pub(crate) fn strict(schema: &Value, rules: StrictRules) -> Option<Value> {
    let known = match rules {
        StrictRules::OpenAi => STRICT_OPENAI,
        StrictRules::Anthropic => STRICT_ANTHROPIC,
    };
    let mut schema = schema.clone();
    make_strict(&mut schema, known, 0).then_some(schema)
}

fn make_strict(schema: &mut Value, known: &[&str], depth: usize) -> bool {
    let Some(object) = schema.as_object_mut().filter(|_| depth < DEPTH_MAX) else {
        return false;
    };
    if object.keys().any(|key| !known.contains(&key.as_str())) {
        return false;
    }
    if object.get("type").is_some_and(|kind| kind == "object") {
        if object
            .get("additionalProperties")
            .is_some_and(|more| *more != json!(false))
        {
            return false;
        }
        object.insert("additionalProperties".into(), json!(false));
        let names: Vec<String> = match object.get("properties") {
            Some(Value::Object(properties)) => properties.keys().cloned().collect(),
            _ => Vec::new(),
        };
        let required = object.entry("required").or_insert_with(|| json!([]));
        let is_required = |name: &String| {
            required
                .as_array()
                .is_some_and(|r| r.contains(&json!(name)))
        };
        if !names.iter().all(is_required) {
            return false;
        }
    }
    let mut fine = true;
    if let Some(Value::Object(properties)) = object.get_mut("properties") {
        fine &= properties
            .values_mut()
            .all(|inner| make_strict(inner, known, depth + 1));
    }
    if let Some(items) = object.get_mut("items") {
        fine &= make_strict(items, known, depth + 1);
    }
    if let Some(Value::Array(variants)) = object.get_mut("anyOf") {
        fine &= variants
            .iter_mut()
            .all(|inner| make_strict(inner, known, depth + 1));
    }
    fine
}

/// The schema as Gemini takes it; nothing for a tool without arguments, as it refuses objects
/// without properties.
pub(crate) fn gemini(schema: &Value) -> Option<Value> {
    let converted = to_gemini(schema, schema, 0);
    let has_some = converted["properties"]
        .as_object()
        .is_some_and(|inner| !inner.is_empty());
    has_some.then_some(converted)
}

fn to_gemini(schema: &Value, root: &Value, depth: usize) -> Value {
    let Some(source) = schema.as_object().filter(|_| depth < DEPTH_MAX) else {
        return json!({"type": "string"});
    };
    if let Some(reference) = source.get("$ref").and_then(Value::as_str) {
        let pointer = reference.trim_start_matches('#');
        return match root.pointer(pointer) {
            Some(target) => to_gemini(target, root, depth + 1),
            None => json!({"type": "string"}),
        };
    }
    let mut made = Map::new();
    for (key, value) in source {
        if GEMINI.contains(&key.as_str()) {
            made.insert(key.clone(), value.clone());
        }
    }
    insert_type(&mut made, source);
    insert_choices(&mut made, source);
    let inner = |value: &Value| to_gemini(value, root, depth + 1);
    if let Some(items) = source.get("items") {
        made.insert("items".into(), inner(items));
    }
    if let Some(Value::Object(properties)) = source.get("properties") {
        let properties = properties
            .iter()
            .map(|(name, value)| (name.clone(), inner(value)));
        made.insert("properties".into(), Value::Object(properties.collect()));
    }
    let variants = source.get("anyOf").or_else(|| source.get("oneOf"));
    if let Some(Value::Array(variants)) = variants {
        made.insert("anyOf".into(), variants.iter().map(inner).collect());
    }
    Value::Object(made)
}

/// `["string", "null"]` is a nullable string.
fn insert_type(made: &mut Map<String, Value>, source: &Map<String, Value>) {
    match source.get("type") {
        Some(Value::Array(kinds)) => {
            if kinds.contains(&json!("null")) {
                made.insert("nullable".into(), json!(true));
            }
            if let Some(kind) = kinds.iter().find(|kind| **kind != "null") {
                made.insert("type".into(), kind.clone());
            }
        }
        Some(kind) => {
            made.insert("type".into(), kind.clone());
        }
        None if source.contains_key("properties") => {
            made.insert("type".into(), json!("object"));
        }
        None => {}
    }
    let format = source
        .get("format")
        .filter(|format| **format == "date-time");
    if let Some(format) = format {
        made.insert("format".into(), format.clone());
    }
}

/// Choices are of text only there.
fn insert_choices(made: &mut Map<String, Value>, source: &Map<String, Value>) {
    let constant = source.get("const").map(|value| vec![value.clone()]);
    let choices = source
        .get("enum")
        .and_then(Value::as_array)
        .cloned()
        .or(constant);
    let texts = choices.filter(|choices| choices.iter().all(Value::is_string));
    if let Some(texts) = texts {
        made.insert("type".into(), json!("string"));
        made.insert("enum".into(), Value::Array(texts));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{StrictRules, gemini, strict};

    #[test]
    fn strict_only_where_nothing_is_lost() {
        let place = json!({"type": "string"});
        let whole =
            json!({"type": "object", "properties": {"place": place}, "required": ["place"]});
        let made = json!({"type": "object", "properties": {"place": place}, "required": ["place"],
            "additionalProperties": false});
        assert_eq!(strict(&whole, StrictRules::OpenAi), Some(made));
        let nothing = json!({"type": "object", "properties": {}});
        assert!(strict(&nothing, StrictRules::OpenAi).is_some());
        for refused in [
            json!({"type": "object", "properties": {"place": place}}),
            json!({"type": "object", "properties": {}, "additionalProperties": true}),
            json!({"type": "object", "properties": {}, "patternProperties": {}}),
            json!({"type": "object", "properties": {"list": {"type": "array",
                "items": {"type": "object", "properties": {"a": place}}}}, "required": ["list"]}),
            json!("text"),
        ] {
            assert_eq!(strict(&refused, StrictRules::OpenAi), None, "{refused}");
        }
        let bounded = json!({"type": "object", "properties": {"n": {"type": "integer",
            "minimum": 1}}, "required": ["n"]});
        assert!(strict(&bounded, StrictRules::OpenAi).is_some());
        assert_eq!(strict(&bounded, StrictRules::Anthropic), None);
    }

    #[test]
    fn gemini_gets_its_part() {
        assert_eq!(gemini(&json!({"type": "object", "properties": {}})), None);
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "place": {"type": ["string", "null"], "format": "city", "default": "Ulm"},
                "unit": {"enum": ["c", "f"]},
                "days": {"type": "integer", "enum": [1, 2], "minimum": 1},
                "point": {"$ref": "#/$defs/point"},
                "either": {"oneOf": [{"type": "string"}, {"type": "number"}]},
            },
            "required": ["place"],
            "$defs": {"point": {"properties": {"x": {"type": "number"}, "next": {"$ref": "#/$defs/point"}}}}
        });
        let made = gemini(&schema).unwrap_or_default();
        assert_eq!(
            made["properties"]["place"],
            json!({"type": "string", "nullable": true})
        );
        assert_eq!(
            made["properties"]["unit"],
            json!({"type": "string", "enum": ["c", "f"]})
        );
        assert_eq!(
            made["properties"]["days"],
            json!({"type": "integer", "minimum": 1})
        );
        assert_eq!(
            made["properties"]["point"]["properties"]["x"],
            json!({"type": "number"})
        );
        assert_eq!(made["properties"]["point"]["type"], "object");
        assert_eq!(
            made["properties"]["either"]["anyOf"][1],
            json!({"type": "number"})
        );
        assert_eq!(made["required"], json!(["place"]));
        let text = made.to_string();
        assert!(
            !text.contains("additionalProperties") && !text.contains('$'),
            "{text}"
        );
    }
}
