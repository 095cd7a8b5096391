//! Builds the program that holds a group's network namespace, which the agent carries in itself.

use std::env;
use std::error::Error;
use std::path::PathBuf;
use std::process::Command;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=pause/main.rs");
    let output = PathBuf::from(env::var("OUT_DIR")?).join("pause");
    // Not a package of its own: it must be static, and that is a flag that shall reach no other crate.
    let status = Command::new(env::var("RUSTC")?)
        .args(["--edition", "2024", "--crate-name", "pause", "--crate-type", "bin", "--target"])
        .arg(env::var("TARGET")?)
        .args(["-C", "target-feature=+crt-static", "-C", "opt-level=s", "-C", "panic=abort", "-C", "strip=symbols"])
        .arg("-o")
        .arg(&output)
        .arg("pause/main.rs")
        .status()?;
    if !status.success() {
        return Err("the pause program did not compile".into());
    }
    Ok(())
}
