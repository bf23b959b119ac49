//! Mixtures of experts in a `config.json`.

use serde_json::{Value, json};

use super::{Key, KeyError, flag, size};
use relprop_transformer::{ExpertsConfig, TransformerConfig};

/// The experts of a configuration: those of Mixtral, where it has none yet.
pub fn experts(config: &mut TransformerConfig) -> &mut ExpertsConfig {
    config.experts.get_or_insert(ExpertsConfig {
        count: 8,
        chosen: 2,
        width: 14336,
        normalized: true,
        shared: None,
        router_bias: false,
    })
}

/// How many experts a block has.
pub const COUNT: Key = Key::Custom {
    required: false,
    read: |config, value| {
        experts(config).count = size(value)?;
        Ok(())
    },
    write: |config| json!(config.experts.map(|experts| experts.count)),
};

/// How many of them each token has.
pub const CHOSEN: Key = Key::Custom {
    required: false,
    read: |config, value| {
        experts(config).chosen = size(value)?;
        Ok(())
    },
    write: |config| json!(config.experts.map(|experts| experts.chosen)),
};

/// The number of features in the middle of each.
pub const WIDTH: Key = Key::Custom {
    required: false,
    read: |config, value| {
        experts(config).width = size(value)?;
        Ok(())
    },
    write: |config| json!(config.experts.map(|experts| experts.width)),
};

/// The same of the one that all tokens have.
pub const SHARED: Key = Key::Custom {
    required: false,
    read: |config, value| {
        experts(config).shared = Some(size(value)?);
        Ok(())
    },
    write: |config| json!(config.experts.and_then(|experts| experts.shared)),
};

/// Whether the weights of those that are chosen sum to 1.
pub const NORMALIZED: Key = Key::Custom {
    required: false,
    read: |config, value| {
        experts(config).normalized = flag(value)?;
        Ok(())
    },
    write: |config| json!(config.experts.map(|experts| experts.normalized)),
};

/// The blocks without experts.
pub const DENSE: Key = Key::Custom {
    required: false,
    read: |config, value| {
        let list = value.as_array().map(|list| list.iter().map(size).collect());
        let list: Option<Result<Vec<usize>, KeyError>> = list;
        config.dense_blocks =
            list.ok_or_else(|| KeyError::must_be(value, "a list of blocks"))??;
        Ok(())
    },
    write: |config| json!(config.dense_blocks),
};

/// Every so many blocks, one has experts.
pub const STEP: Key = Key::Derived {
    read: |config, value| {
        let step = match value {
            None | Some(Value::Null) => 1,
            Some(value) => size(value)?,
        };
        if step == 0 {
            return Err(KeyError::must_be(&json!(0), "at least 1"));
        }
        // A file with more blocks is refused later on.
        let blocks = 0..config.blocks.min(1000);
        let dense = blocks.filter(|block| {
            config.dense_blocks.contains(block) || !(block + 1).is_multiple_of(step)
        });
        config.dense_blocks = dense.collect();
        Ok(())
    },
    write: |_| json!(1),
};
