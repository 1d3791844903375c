//! Checks a JupyterHub; see `checks::jupyterhub`.

fn main() -> std::process::ExitCode {
    cli::main::<checks::Run<checks::jupyterhub::CheckJupyterhub>>()
}
