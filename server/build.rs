//! Says clearly what is missing when the web UI is to be embedded but was not built.

use std::path::Path;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var_os("CARGO_FEATURE_UI").is_none() {
        return;
    }
    println!("cargo:rerun-if-changed=ui/dist");
    if !Path::new("ui/dist/index.html").exists() {
        println!(
            "cargo:error=the feature `ui` embeds server/ui/dist, which is not built: \
             run `npm ci && npm run build` in server/ui first, or build without the feature"
        );
    }
}
