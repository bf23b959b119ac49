//! The program's advice for errors of the libraries: its own commands, options and features. A
//! library only says what is wrong.

use std::error::Error;

use relprop_checkpoints::{ChatError, CheckpointError, TextError};
use relprop_engine::EngineError;
use relprop_engine::measure::MeasureError;
use relprop_evaluate::Need;
use relprop_rules::RuleError;

/// The message of the error, with the program's advice if there is any.
pub(crate) fn told(error: &(dyn Error + 'static)) -> String {
    match way_out(error) {
        None => error.to_string(),
        Some(way_out) => format!("{error}; {way_out}"),
    }
}

/// The program's advice for this error, if there is any.
pub(crate) fn way_out(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(error) = error.downcast_ref::<CheckpointError>() {
        return of_checkpoint(error);
    }
    #[cfg(feature = "hub")]
    if let Some(error) = error.downcast_ref::<relprop_checkpoints::HubError>() {
        return of_hub(error);
    }
    if let Some(error) = error.downcast_ref() {
        return of_rules(error);
    }
    if let Some(ChatError::NoTemplate) = error.downcast_ref() {
        return Some("leave out --chat".to_owned());
    }
    if let Some(error) = error.downcast_ref() {
        return of_engine(error);
    }
    if let Some(error) = error.downcast_ref() {
        return of_measure(error);
    }
    match error.downcast_ref::<TextError>()? {
        TextError::TooLong { .. } => Some("leave out --no-truncate to have it cut".to_owned()),
        TextError::Pictures => Some("give files of pictures".to_owned()),
        _ => None,
    }
}

fn of_engine(error: &EngineError) -> Option<String> {
    let way_out = match error {
        EngineError::ColumnTaken(_) => "or write --format jsonl, which keeps the two apart",
        EngineError::Overflow { .. } => {
            "leave out --dtype, or give --dtype bf16, which has the range of f32"
        }
        EngineError::Measure(error) => return of_measure(error),
        _ => return None,
    };
    Some(way_out.to_owned())
}

fn of_measure(error: &MeasureError) -> Option<String> {
    let way_out = match error {
        MeasureError::Unlabeled { .. } | MeasureError::PositiveOrNegative { .. } => {
            "give --target predicted"
        }
        MeasureError::Lacking {
            need: Need::Evidence,
            ..
        } => {
            "name the column that says which words they are (--evidence-column), or give --data reviews"
        }
        MeasureError::TooFew { .. } => "or give a lower --min-words",
        _ => return None,
    };
    Some(way_out.to_owned())
}

fn of_rules(error: &RuleError) -> Option<String> {
    let listed = match error {
        RuleError::UnknownSite { .. } => "the sites",
        RuleError::OperationElsewhere { .. } => "the sites and their operations",
        _ => return None,
    };
    Some(format!("`relprop inspect` lists {listed}"))
}

fn of_checkpoint(error: &CheckpointError) -> Option<String> {
    match error {
        CheckpointError::NoFolder(folder) => {
            let folder = folder.display();
            Some(format!("`relprop train --out {folder}` makes one"))
        }
        CheckpointError::TwoTowers { .. } => Some(
            "`relprop explain` compares pictures with texts: give the texts (--texts)".to_owned(),
        ),
        CheckpointError::OneTower { .. } => Some("leave out --texts".to_owned()),
        _ => None,
    }
}

#[cfg(feature = "hub")]
fn of_hub(error: &relprop_checkpoints::HubError) -> Option<String> {
    use relprop_checkpoints::HubError;
    match error {
        HubError::Index(error) => of_checkpoint(error),
        _ => None,
    }
}
