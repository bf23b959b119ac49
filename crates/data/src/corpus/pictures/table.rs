//! A table whose rows name files of pictures.

use std::fs;
use std::io::BufReader;
use std::path::Path;

use image::DynamicImage;
use serde_json::{Map, Value};

use super::Region;
use crate::corpus::evidence::of_cell;
use crate::corpus::rows::LABEL;
use crate::hash::Hash;
use crate::records::{Lines, Record, RecordError, Separated, json_objects, open};
use crate::{DataError, TableFormat, decode};

/// The name of the column of files.
const PICTURE: &str = "picture";
const WANTED: &str = "a .tsv, .csv or .jsonl file with the column `picture`";

/// A picture that a table names.
#[derive(Clone, Debug)]
pub struct NamedPicture {
    /// The name of its file, as the table has it.
    pub name: String,
    /// The picture.
    pub picture: DynamicImage,
    /// The label that the table gives it, as written there. None if it gives none.
    pub label: Option<String>,
    /// The part of it that decides the label, if the table says it.
    pub region: Option<Region>,
    /// The line of the table that the row starts on, counted from 1.
    pub line: u64,
}

/// The pictures of a table, and the rows that had to be left out.
#[derive(Debug)]
pub struct NamedPictures {
    /// The good rows in the order of the table.
    pub pictures: Vec<NamedPicture>,
    /// One error for each row that was skipped.
    pub skipped: Vec<DataError>,
    /// The SHA-256 of all that was read, in hexadecimal.
    pub sha256: String,
}

/// Reads the first `limit` pictures that a `.tsv`, `.csv` or `.jsonl` file names in its column `picture`, from the folder of the
/// table on, with labels from the column `label` if there is one.
///
/// The column `evidence`, if one is named, says which part of a picture decides its label: a box `x0,y0,x1,y1`, several with `;`
/// between them, or the name of a file that is black outside of that part; in JSON also `[x0, y0, x1, y1]`, or a list of these.
///
/// # Errors
///
/// If the file is absent, unreadable or of another format, or lacks a column. A bad row does not end the reading.
pub fn read_named_pictures(
    path: &Path,
    evidence: Option<&str>,
    limit: usize,
) -> Result<NamedPictures, DataError> {
    let source = open(path, WANTED)?;
    let format = TableFormat::from_path(path);
    let records: Vec<Result<Record<Map<String, Value>>, RecordError>> = match format {
        Some(format @ (TableFormat::Tsv | TableFormat::Csv)) => {
            let records = Separated::new(source, format, path)?;
            let names = records.names().to_vec();
            for wanted in [Some(PICTURE), evidence].into_iter().flatten() {
                if !names.iter().any(|name| name == wanted) {
                    return Err(DataError::NoColumn {
                        path: path.into(),
                        wanted: format!("`{wanted}`"),
                        found: names,
                    });
                }
            }
            let named = |fields: csv::StringRecord| {
                let cells = names.iter().zip(fields.iter());
                let cells = cells.map(|(name, cell)| (name.clone(), of_cell(cell)));
                cells.collect()
            };
            let records = records.map(|record| {
                record.map(|Record { line, fields }| Record {
                    line,
                    fields: named(fields),
                })
            });
            records.collect()
        }
        Some(TableFormat::JsonLines) => {
            let lines = Lines::new(BufReader::new(source));
            json_objects(lines, |_| Ok(())).collect()
        }
        _ => {
            return Err(DataError::UnsupportedExtension {
                path: path.into(),
                wanted: WANTED,
            });
        }
    };
    let (mut pictures, mut skipped, mut hash) = (Vec::new(), Vec::new(), Hash::default());
    for record in records {
        if pictures.len() == limit {
            break;
        }
        let record = match record {
            Ok(record) => record,
            Err(error @ RecordError::Unreadable(_)) => return Err(error.at(path)),
            Err(error) => {
                skipped.push(error.at(path));
                continue;
            }
        };
        let line = record.line;
        match row(path, record, evidence, &mut hash) {
            Ok(picture) => pictures.push(picture),
            Err(problem) => skipped.push(DataError::Malformed {
                path: path.into(),
                line,
                problem,
            }),
        }
    }
    Ok(NamedPictures {
        pictures,
        skipped,
        sha256: hash.finish(),
    })
}

/// Reads the files of a row. The error says what is wrong.
fn row(
    table: &Path,
    Record { line, fields }: Record<Map<String, Value>>,
    evidence: Option<&str>,
    hash: &mut Hash,
) -> Result<NamedPicture, String> {
    let text = |name: &str| match fields.get(name) {
        Some(Value::String(text)) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let name = text(PICTURE).ok_or("`picture` names no file")?;
    let read = |name: &str| {
        let file = table.with_file_name(name);
        let bytes = fs::read(file).map_err(|error| format!("`{name}`: {error}"))?;
        let picture = decode(&bytes).map_err(|error| format!("`{name}`: {error}"))?;
        Ok::<_, String>((bytes, picture))
    };
    let (bytes, picture) = read(&name)?;
    let label = text(LABEL);
    let size = [picture.width() as usize, picture.height() as usize];
    let said = evidence.and_then(|column| Some((column, fields.get(column)?)));
    let region = said.map(|(column, said)| {
        let region = match boxes(said) {
            Ok(Some(boxes)) if boxes.is_empty() => return Ok(None),
            Ok(Some(boxes)) => Region::of_boxes(size, &boxes),
            Ok(None) => {
                let mask = said.as_str().unwrap_or_default().trim();
                let (_, mask) = read(mask)?;
                Region::of_mask(size, &mask)
            }
            Err(problem) => Err(problem),
        };
        region
            .map(Some)
            .map_err(|problem| format!("`{column}` {problem}"))
    });
    let region = region.transpose()?.flatten();
    hash.number(bytes.len());
    hash.bytes(&bytes);
    hash.bytes(label.as_deref().unwrap_or_default());
    let pixels = region.iter().flat_map(Region::pixels);
    hash.bytes(pixels.collect::<Vec<u8>>());
    Ok(NamedPicture {
        name,
        picture,
        label,
        region,
        line,
    })
}

/// The boxes that a cell says; none where it is the name of a file.
fn boxes(said: &Value) -> Result<Option<Vec<[usize; 4]>>, String> {
    let wanted = "a box x0,y0,x1,y1 of whole numbers, several, or the name of a mask";
    let wrong = || format!("is {said}, not {wanted}");
    let of_numbers = |numbers: &[Value]| {
        let numbers = numbers
            .iter()
            .map(|number| number.as_u64().map(|n| n as usize));
        let numbers: Vec<usize> = numbers.collect::<Option<_>>()?;
        <[usize; 4]>::try_from(numbers).ok()
    };
    match said {
        Value::Null => Ok(Some(Vec::new())),
        Value::String(text) if text.trim().is_empty() => Ok(Some(Vec::new())),
        Value::String(text) => {
            let numeric = |text: &str| text.chars().all(|c| "0123456789,;.- ".contains(c));
            if !numeric(text) {
                return Ok(None);
            }
            let all = text.split(';').map(|one| {
                let numbers = one.split(',').map(|number| number.trim().parse().ok());
                let numbers: Vec<usize> = numbers.collect::<Option<_>>()?;
                <[usize; 4]>::try_from(numbers).ok()
            });
            all.collect::<Option<_>>().map(Some).ok_or_else(wrong)
        }
        Value::Array(all) if all.iter().all(Value::is_number) && !all.is_empty() => {
            let one = of_numbers(all).ok_or_else(wrong)?;
            Ok(Some(vec![one]))
        }
        Value::Array(all) => {
            let all = all.iter().map(|one| of_numbers(one.as_array()?));
            all.collect::<Option<_>>().map(Some).ok_or_else(wrong)
        }
        _ => Err(wrong()),
    }
}
