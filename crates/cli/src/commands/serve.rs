//! `relprop serve`

use std::path::Path;
use std::sync::Arc;

use relprop_checkpoints::Model;
use relprop_engine::{AnyModel, Precision};
use relprop_serve::{NamedModel, Options, Server};

use crate::args::{ModelArgument, ServeArguments};
use crate::output::Output;

/// Serves models until it is told to end.
pub(crate) fn serve(arguments: &ServeArguments) -> anyhow::Result<()> {
    let device = arguments.device.open()?;
    let precision = arguments.precision.precision()?;
    let mut models: Vec<NamedModel> = Vec::new();
    for name in &arguments.models {
        let argument = ModelArgument {
            name: name.clone(),
            base: None,
        };
        let (model, folder) = argument.open_any(&device, precision)?;
        models.push(NamedModel {
            name: called(&folder, &models),
            model,
            precision,
        });
    }
    run(models, arguments.serving.options())
}

/// Serves one model under this name.
pub(crate) fn serve_one(name: &str, model: Arc<Model>, options: Options) -> anyhow::Result<()> {
    let model = NamedModel {
        name: name.to_owned(),
        model: AnyModel::One(model),
        precision: Precision::F32,
    };
    run(vec![model], options)
}

fn run(models: Vec<NamedModel>, options: Options) -> anyhow::Result<()> {
    let server = Server::bind(models, options)?;
    let mut output = Output::open(None)?;
    output.write(format!(
        "relprop listens at http://{}/ until it is interrupted (Ctrl-C)\n",
        server.address()
    ))?;
    output.finish()?;
    Ok(server.run()?)
}

/// The name of the folder, with a number if another model is called so.
fn called(folder: &Path, models: &[NamedModel]) -> String {
    let resolved = folder.canonicalize();
    let folder = resolved.as_deref().unwrap_or(folder);
    let name = folder.file_name().unwrap_or(folder.as_os_str());
    let name = name.to_string_lossy().into_owned();
    let taken = |name: &str| models.iter().any(|model| model.name == name);
    if !taken(&name) {
        return name;
    }
    let mut numbered = (2..).map(|number| format!("{name}-{number}"));
    numbered.find(|name| !taken(name)).unwrap_or(name)
}
