//! The names of tensors in the files of a family.

use relprop_transformer::TransformerConfig;

use crate::Family;

impl Family {
    /// What `$` stands for in a file with these tensors: an empty text, if no tensor is under the
    /// base.
    pub(crate) fn base_in<'n>(&self, mut names: impl Iterator<Item = &'n str>) -> &'static str {
        let under = |name: &str| {
            name.strip_prefix(self.base)
                .is_some_and(|n| n.starts_with('.'))
        };
        if names.any(under) { self.base } else { "" }
    }

    /// The family's name of the tensor that is called `ours` here, where `$` stands for `base`.
    pub(crate) fn tensor_name(&self, ours: &str, base: &str) -> String {
        let mut pairs = self.tensors.iter().copied().flatten();
        let renamed = pairs.find_map(|(from, to)| rename(ours, from, to));
        renamed.map_or_else(|| ours.to_owned(), |name| on_base(&name, base))
    }

    /// The same of a model of this configuration.
    pub(crate) fn tensor_name_in(
        &self,
        config: &TransformerConfig,
        ours: &str,
        base: &str,
    ) -> String {
        let of_config = self.variants.iter().filter(|(is_of, _)| is_of(config));
        let mut pairs = of_config.flat_map(|(_, names)| names.iter());
        let renamed = pairs.find_map(|(from, to)| rename(ours, from, to));
        let name =
            renamed.map_or_else(|| self.tensor_name(ours, base), |name| on_base(&name, base));
        match &config.stages {
            None => name,
            Some(stages) => in_stages(name, &stages.blocks),
        }
    }

    /// Where among the names of tensors the one stands that is called `ours` here.
    pub(crate) fn place_of(&self, ours: &str) -> usize {
        let mut pairs = self.tensors.iter().copied().flatten();
        let place = pairs.position(|(from, _)| rename(ours, from, "").is_some());
        place.unwrap_or_default()
    }

    /// Whether the module that is called `ours` here is part of a tensor head by head.
    pub(crate) fn is_grouped(&self, ours: &str) -> bool {
        let mut grouped = self.grouped.iter();
        grouped.any(|name| rename(ours, name, "").is_some())
    }

    /// Whether the module that is called `ours` here is part of a tensor of all experts.
    pub(crate) fn is_stacked(&self, ours: &str) -> bool {
        let mut stacked = self.stacked.iter();
        stacked.any(|name| rename(ours, name, "").is_some())
    }

    /// Whether the linear map that is called `ours` here stands in a file as it does here.
    pub(crate) fn is_untransposed(&self, ours: &str) -> bool {
        self.untransposed
            .iter()
            .any(|name| rename(ours, name, "").is_some())
    }

    /// Whether the family's files may hold this tensor though no computation needs it.
    pub(crate) fn ignores(&self, tensor: &str, base: &str) -> bool {
        let mut ignored = self.ignored_tensors.iter();
        ignored.any(|name| {
            let rest = |name: &str| rename(tensor, &on_base(name, base), "");
            match name.strip_suffix(".*") {
                Some(module) => rest(module).is_some(),
                None => rest(name).is_some_and(|rest| rest.is_empty()),
            }
        })
    }
}

/// The same for a file that counts blocks stage by stage: `layers.3.blocks.` is then `layers.1.blocks.1.` where the first
/// stage has two blocks, and what stands after the block is `layers.1.`.
fn in_stages(name: String, stages: &[usize]) -> String {
    let Some((before, after)) = name.split_once("layers.") else {
        return name;
    };
    let Some((block, part)) = after.split_once('.') else {
        return name;
    };
    let Ok(mut block) = block.parse::<usize>() else {
        return name;
    };
    let mut stage = 0;
    for blocks in stages {
        if block < *blocks {
            break;
        }
        block -= blocks;
        stage += 1;
    }
    match part.strip_prefix("blocks.") {
        Some(part) => format!("{before}layers.{stage}.blocks.{block}.{part}"),
        None => format!("{before}layers.{stage}.{part}"),
    }
}

/// `name` with `base` in the place of `$`; if that is nothing, without the dot after it.
fn on_base(name: &str, base: &str) -> String {
    match base {
        "" => name.replace("$.", ""),
        base => name.replace('$', base),
    }
}

/// `name` with the module `to` in place of the module `from`, if it starts with that.
fn rename(name: &str, from: &str, to: &str) -> Option<String> {
    let mut parts = name.split('.');
    let mut renamed = to.to_owned();
    for expected in from.split('.') {
        let part = parts.next()?;
        if expected == "{}" {
            part.parse::<usize>().ok()?;
            renamed = renamed.replacen("{}", part, 1);
        } else if part != expected {
            return None;
        }
    }
    parts.for_each(|part| renamed = format!("{renamed}.{part}"));
    Some(renamed)
}
