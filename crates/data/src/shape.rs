//! What the columns of JSON objects hold, and the rows that do not fit.
//!
//! A column is of one kind: values, lists or objects. Where rows differ, the kind that most of them have
//! is the column's, and the others are bad rows.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Fields, Schema};
use serde_json::{Map, Value};

/// What may stand in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Plain,
    List,
    Object,
}

impl Kind {
    /// That of a value; none of null, which fits everywhere.
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Null => None,
            Value::Bool(_) | Value::Number(_) | Value::String(_) => Some(Self::Plain),
            Value::Array(_) => Some(Self::List),
            Value::Object(_) => Some(Self::Object),
        }
    }

    /// That of a column; none of one that holds nothing.
    fn of_column(column: &DataType) -> Option<Self> {
        match column {
            DataType::Null => None,
            DataType::List(_) => Some(Self::List),
            DataType::Struct(_) => Some(Self::Object),
            _ => Some(Self::Plain),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Plain => "a text or a number",
            Self::List => "a list",
            Self::Object => "an object",
        }
    }
}

/// What was seen in a column.
#[derive(Debug, Default)]
struct Shape {
    /// How many values of each kind there were, in the order in which kinds came first.
    kinds: Vec<(Kind, u64)>,
    /// The type of its plain values.
    plain: Option<DataType>,
    /// What its lists hold.
    items: Option<Box<Shape>>,
    /// What its objects hold.
    fields: Columns,
}

/// The columns of objects, in the order in which they came first.
#[derive(Debug, Default)]
pub(crate) struct Columns(Vec<(String, Shape)>);

impl Columns {
    /// Takes in one object.
    pub(crate) fn see(&mut self, object: &Map<String, Value>) {
        for (index, (name, value)) in object.iter().enumerate() {
            // Objects of a table mostly have the same names in the same order.
            let here = (self.0.get(index)).is_some_and(|(known, _)| known == name);
            let at = match here {
                true => Some(index),
                false => self.0.iter().position(|(known, _)| known == name),
            };
            let at = at.unwrap_or_else(|| {
                self.0.push((name.clone(), Shape::default()));
                self.0.len() - 1
            });
            self.0[at].1.see(value);
        }
    }

    /// The columns as those of a table.
    pub(crate) fn schema(&self) -> Schema {
        Schema::new(self.fields())
    }

    fn fields(&self) -> Fields {
        let fields = self.0.iter();
        fields
            .map(|(name, shape)| Field::new(name, shape.data_type(), true))
            .collect()
    }
}

impl Shape {
    fn see(&mut self, value: &Value) {
        if let Some(kind) = Kind::of(value) {
            match self.kinds.iter_mut().find(|(known, _)| *known == kind) {
                Some((_, count)) => *count += 1,
                None => self.kinds.push((kind, 1)),
            }
        }
        let plain = match value {
            Value::Null => return,
            Value::Bool(_) => DataType::Boolean,
            Value::Number(number) if number.is_i64() => DataType::Int64,
            Value::Number(_) => DataType::Float64,
            Value::String(_) => DataType::Utf8,
            Value::Array(values) => {
                let items = self.items.get_or_insert_default();
                return values.iter().for_each(|value| items.see(value));
            }
            Value::Object(object) => return self.fields.see(object),
        };
        self.plain = Some(match self.plain.take() {
            None => plain,
            Some(known) if known == plain => known,
            Some(DataType::Int64 | DataType::Float64)
                if matches!(plain, DataType::Int64 | DataType::Float64) =>
            {
                DataType::Float64
            }
            // A column in which numbers and texts are mixed is one of texts.
            Some(_) => DataType::Utf8,
        });
    }

    fn data_type(&self) -> DataType {
        let most = self.kinds.iter().map(|(_, count)| *count).max();
        let kind = (self.kinds.iter()).find(|(_, count)| Some(*count) == most);
        match kind {
            None => DataType::Null,
            Some((Kind::Plain, _)) => self.plain.clone().unwrap_or(DataType::Null),
            Some((Kind::List, _)) => {
                let items = self.items.as_ref();
                let items = items.map_or(DataType::Null, |items| items.data_type());
                DataType::List(Arc::new(Field::new_list_field(items, true)))
            }
            Some((Kind::Object, _)) => DataType::Struct(self.fields.fields()),
        }
    }
}

/// Checks that each value of an object is of the kind of its column.
pub(crate) fn fits(fields: &Fields, object: &Map<String, Value>) -> Result<(), String> {
    within(fields, object, "")
}

fn within(fields: &Fields, object: &Map<String, Value>, path: &str) -> Result<(), String> {
    for field in fields {
        if let Some(value) = object.get(field.name()) {
            let name = field.name();
            let path = match path {
                "" => name.clone(),
                path => format!("{path}.{name}"),
            };
            value_fits(field.data_type(), value, &path)?;
        }
    }
    Ok(())
}

fn value_fits(column: &DataType, value: &Value, path: &str) -> Result<(), String> {
    let (kind, wanted) = (Kind::of(value), Kind::of_column(column));
    if let (Some(kind), Some(wanted)) = (kind, wanted)
        && kind != wanted
    {
        let (kind, wanted) = (kind.name(), wanted.name());
        return Err(format!(
            "`{path}` is {kind}, and {wanted} in other rows: a column holds one of the two"
        ));
    }
    match (column, value) {
        (DataType::Struct(fields), Value::Object(object)) => within(fields, object, path),
        (DataType::List(field), Value::Array(values)) => {
            let path = format!("{path}[]");
            let mut values = values.iter();
            values.try_for_each(|value| value_fits(field.data_type(), value, &path))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The columns of these rows in words, and why some rows do not fit.
    fn read(rows: &[Value]) -> (String, Vec<Option<String>>) {
        let rows: Vec<_> = rows.iter().map(|row| row.as_object().unwrap()).collect();
        let mut columns = Columns::default();
        rows.iter().for_each(|row| columns.see(row));
        let schema = columns.schema();
        let fields = schema.fields();
        let types: Vec<_> = fields.iter().map(|field| named(field)).collect();
        let faults = rows.iter().map(|row| fits(fields, row).err());
        (types.join(" "), faults.collect())
    }

    fn named(field: &Field) -> String {
        let name = field.name();
        match field.data_type() {
            DataType::List(items) => format!("{name}:[{}]", named(items)),
            DataType::Struct(fields) => {
                let fields: Vec<_> = fields.iter().map(|field| named(field)).collect();
                format!("{name}:{{{}}}", fields.join(" "))
            }
            other => format!("{name}:{other}"),
        }
    }

    #[test]
    fn a_column_is_of_the_kind_that_most_rows_have() {
        let faults = |found: &[Option<String>]| -> Vec<usize> {
            let places = found.iter().enumerate();
            places
                .filter_map(|(at, fault)| fault.as_ref().map(|_| at))
                .collect()
        };
        let cases: &[(&[Value], &str, &[usize])] = &[
            (
                &[json!({"a": 1}), json!({"a": null}), json!({})],
                "a:Int64",
                &[],
            ),
            (&[json!({"a": 1}), json!({"a": 2.5})], "a:Float64", &[]),
            (&[json!({"a": 1}), json!({"a": "x"})], "a:Utf8", &[]),
            (&[json!({"a": true}), json!({"a": 1})], "a:Utf8", &[]),
            (
                &[json!({"b": 1, "a": 1}), json!({"a": 1, "c": 1})],
                "b:Int64 a:Int64 c:Int64",
                &[],
            ),
            (&[json!({"a": {}}), json!({"a": {}})], "a:{}", &[]),
            (
                &[json!({"a": []}), json!({"a": [null]})],
                "a:[item:Null]",
                &[],
            ),
            (&[json!({"a": [{"b": 1}, null]})], "a:[item:{b:Int64}]", &[]),
            (
                &[json!({"a": [null, {"b": null}]})],
                "a:[item:{b:Null}]",
                &[],
            ),
            (
                &[
                    json!({"a": {"b": 1}}),
                    json!({"a": "x"}),
                    json!({"a": null}),
                ],
                "a:{b:Int64}",
                &[1],
            ),
            (&[json!({"a": "x"}), json!({"a": {"b": 1}})], "a:Utf8", &[1]),
            (
                &[json!({"a": "x"}), json!({"a": {}}), json!({"a": {}})],
                "a:{}",
                &[0],
            ),
            (
                &[json!({"a": [1]}), json!({"a": 1}), json!({"a": [2]})],
                "a:[item:Int64]",
                &[1],
            ),
            (
                &[json!({"a": [[1], [2], 3]})],
                "a:[item:[item:Int64]]",
                &[0],
            ),
            (
                &[json!({"a": {"b": [1]}}), json!({"a": {"b": {}}})],
                "a:{b:[item:Int64]}",
                &[1],
            ),
        ];
        for (rows, columns, bad) in cases {
            let (found, said) = read(rows);
            assert_eq!(
                (found.as_str(), &faults(&said)[..]),
                (*columns, *bad),
                "{rows:?}"
            );
        }
    }

    #[test]
    fn a_row_that_does_not_fit_names_the_column() {
        let rows = [
            json!({"a": {"b": [{"c": 1}]}}),
            json!({"a": {"b": [{"c": [1]}]}}),
        ];
        let (_, said) = read(&rows);
        let fault = "`a.b[].c` is a list, and a text or a number in other rows: a column holds one of \
                     the two";
        assert_eq!(said, [None, Some(fault.to_owned())]);
    }
}
