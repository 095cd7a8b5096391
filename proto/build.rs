//! Compiles the schema without `protoc`.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let descriptors = protox::compile(["schema/wire.proto"], ["schema"])?;
    // Maps in order, so that equal messages have equal bytes.
    let mut config = tonic_prost_build::Config::new();
    config.btree_map(["."]).bytes(["."]);
    tonic_prost_build::configure().compile_fds_with_config(descriptors, config)?;
    println!("cargo:rerun-if-changed=schema/wire.proto");
    Ok(())
}
