//! The `antiphon` command.

#[tokio::main]
async fn main() -> std::process::ExitCode {
    antiphon_server::cli::main().await
}
