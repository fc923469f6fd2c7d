//! `pilot certificate`.

use std::process::ExitCode;

use plimsoll_core::pilot::certificate::Signed;
use plimsoll_engine::EngineError;
use plimsoll_engine::pilot::drive::certificate;

use crate::args::CertificateArguments;
use crate::command::Context;

/// Prints a certificate, or checks one.
pub(super) fn execute(context: &Context, arguments: &CertificateArguments) -> Result<ExitCode, EngineError> {
    let secret = context.certificate_secret()?;
    let document = match &arguments.verify {
        Some(path) => {
            std::fs::read(path).map_err(|error| EngineError::usage(format!("{}: {error}", path.display())))?
        }
        None => certificate(context.new_side()?.store.as_mut(), &arguments.customer)?.into_bytes(),
    };
    let signed =
        Signed::verify(&document, &secret).map_err(|error| EngineError::integrity(error.to_string()))?;
    if let Some(path) = &arguments.out {
        std::fs::write(path, &document)
            .map_err(|error| EngineError::usage(format!("{}: {error}", path.display())))?;
        context.ui.say(&format!(
            "written to {}; check it: plimsoll pilot certificate {} --verify FILE",
            path.display(),
            arguments.customer
        ));
    }
    context.ui.print(&signed, || signed.to_markdown())?;
    Ok(ExitCode::SUCCESS)
}
