//! Checks a JupyterHub; see `checks::jupyterhub`.

fn main() -> std::process::ExitCode {
    cli::main::<checks::probe::Run<checks::jupyterhub::CheckJupyterhub>>()
}
