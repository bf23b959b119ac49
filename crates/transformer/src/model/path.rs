//! The names of parameters.

/// The name of the parameter that a visitor or a mapper of a model is at, such as
/// `encoder.0.attention.query.weight`. Burn tells a visitor every module that it enters and leaves.
///
/// Burn enters a variant of an enum as a module too. A model has only one variant of each enum, so
/// the variant is no part of the name.
#[derive(Clone, Debug, Default)]
pub struct ParameterPath {
    /// The names and the kinds of the modules around the parameter.
    modules: Vec<(String, String)>,
}

impl ParameterPath {
    /// Enters a module of this name in a container of this kind; both are the arguments of
    /// `enter_module`.
    pub fn enter(&mut self, name: &str, container: &str) {
        self.modules.push((name.to_owned(), container.to_owned()));
    }

    /// Leaves the module that was entered last.
    pub fn exit(&mut self) {
        self.modules.pop();
    }

    /// The kind of module that owns the parameter, in Burn's words: `Struct:Linear`.
    pub fn owner(&self) -> Option<&str> {
        self.modules.last().map(|(_, kind)| kind.as_str())
    }

    /// The name.
    pub fn name(&self) -> String {
        let modules = self.modules.iter();
        let named = modules.filter(|(_, kind)| !kind.starts_with("Enum:"));
        let names: Vec<_> = named.map(|(name, _)| name.as_str()).collect();
        names.join(".")
    }
}
