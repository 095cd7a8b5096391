//! Any text is answered with a job or with diagnostics, and what is answered holds together.
//!
//! `make fuzz` runs it with coverage feedback from the jobspecs that we have; what once broke it is kept in `corpus/`.

#![no_main]

use jobspecs::{Inputs, Source, decode_json, format, parse, write_hcl};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(source) = Source::from_bytes("fuzz.hcl", bytes) else { return };
    let inputs = Inputs::default();
    match parse(&source, &inputs) {
        Ok(parsed) => {
            let written = write_hcl(&parsed.job);
            match parse(&Source::new("written.hcl", &written), &inputs) {
                Ok(again) => assert_eq!(again.job, parsed.job, "written as HCL it means something else:\n{written}"),
                Err(errors) => panic!("written as HCL it is not taken:\n{written}\n{}", errors.render(false)),
            }
            let json = serde_json::to_value(&parsed.job).expect("a job is JSON");
            let (again, _) = decode_json(json).expect("its own JSON is taken");
            assert_eq!(again, parsed.job, "written as JSON it means something else");
        }
        Err(errors) => {
            // Every error is shown at its place, with its line.
            assert!(errors.iter().count() > 0 && !errors.render(false).is_empty());
        }
    }
    let original = source;
    if let Ok(laid_out) = format(&original) {
        let source = Source::new("laid-out.hcl", &laid_out);
        assert_eq!(format(&source).expect("what is laid out is HCL"), laid_out, "laid out again it changes");
        if let Ok(before) = parse(&original, &inputs) {
            let after = parse(&source, &inputs).expect("laid out it is still a job");
            assert_eq!(after.job, before.job, "laid out it means something else");
        }
    }
});
