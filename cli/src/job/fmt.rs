//! `sched job fmt`: lays jobspecs out: indentation, columns, spaces. Comments and line breaks stay.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use jobspecs::Source;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::show::{self, text};

/// Ends of names of jobspecs in folders; a file that is named is taken whatever its name.
const ENDS: [&str; 2] = ["hcl", "nomad"];

/// Arguments of `job fmt`.
#[derive(ClapArgs, Debug)]
#[command(after_help = "\
Exit codes:
  0  all are laid out
  1  an error; with -check: some are not laid out")]
pub struct Args {
    /// Jobspecs, or folders of them; `-` lays standard input out onto standard output
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<String>,
    /// Change nothing; only say what is not laid out
    #[arg(long)]
    check: bool,
    /// Also look into the folders of folders
    #[arg(long)]
    recursive: bool,
    /// List the files that were, or with -check would be, changed
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set, num_args = 0..=1, default_missing_value = "true",
          require_equals = true, value_name = "BOOL")]
    list: bool,
    /// Write changed files back; else print them
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set, num_args = 0..=1, default_missing_value = "true",
          require_equals = true, value_name = "BOOL")]
    write: bool,
}

/// Runs it.
pub fn run(args: &Args) -> Result<Exit, Failure> {
    if args.paths == ["-"] {
        return standard_input(args);
    }
    let mut files = Vec::new();
    for path in &args.paths {
        find(Path::new(path), args.recursive, true, &mut files)?;
    }
    let (mut changed, mut wrong) = (0, 0);
    for file in &files {
        let name = file.display().to_string();
        let bytes = std::fs::read(file).map_err(|error| Failure::new(error.to_string()).at(&name))?;
        let laid_out = match lay_out(&name, &bytes) {
            Ok(laid_out) => laid_out,
            Err(diagnostics) => {
                show::note(diagnostics.render(true).trim_end());
                wrong += 1;
                continue;
            }
        };
        if laid_out.as_bytes() == bytes {
            continue;
        }
        changed += 1;
        if args.list {
            show::line(text::escape(&name));
        }
        if !args.check && args.write {
            replace(file, &laid_out).map_err(|error| Failure::new(error.to_string()).at(&name))?;
        } else if !args.check {
            std::io::stdout().write_all(laid_out.as_bytes())?;
        }
    }
    if wrong > 0 {
        return Err(Failure::new(format!("{} could not be laid out", text::count(wrong, "file"))));
    }
    Ok(if args.check && changed > 0 { Exit::Failed } else { Exit::Done })
}

fn standard_input(args: &Args) -> Result<Exit, Failure> {
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes)?;
    let laid_out = lay_out("<stdin>", &bytes).map_err(|diagnostics| {
        show::note(diagnostics.render(true).trim_end());
        Failure::new("<stdin> could not be laid out")
    })?;
    if args.check {
        return Ok(if laid_out.as_bytes() == bytes { Exit::Done } else { Exit::Failed });
    }
    std::io::stdout().write_all(laid_out.as_bytes())?;
    Ok(Exit::Done)
}

fn lay_out(name: &str, bytes: &[u8]) -> Result<String, jobspecs::Diagnostics> {
    jobspecs::format(&Source::from_bytes(name, bytes)?)
}

/// The jobspecs at a path, in order of their names.
fn find(path: &Path, recursive: bool, named: bool, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::new(error.to_string()).at(path.display().to_string());
    let meta = std::fs::metadata(path).map_err(failed)?;
    if meta.is_dir() {
        let entries = std::fs::read_dir(path).map_err(failed)?;
        let mut inner = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>();
        let inner = inner.as_mut().map_err(|error| Failure::new(error.to_string()).at(path.display().to_string()))?;
        inner.sort();
        for path in inner.iter().filter(|path| named || recursive || !path.is_dir()) {
            // Broken links and other oddities of a folder are not what was asked about.
            if path.is_file() || path.is_dir() && recursive {
                find(path, recursive, false, files)?;
            }
        }
    } else if named || path.extension().is_some_and(|end| ENDS.iter().any(|known| end == *known)) {
        files.push(path.to_owned());
    }
    Ok(())
}

/// Writes beside the file and moves it over, so that it is never half written; its mode stays.
fn replace(file: &Path, text: &str) -> std::io::Result<()> {
    let file = std::fs::canonicalize(file)?;
    let mut beside = file.clone().into_os_string();
    beside.push(format!(".{}", std::process::id()));
    std::fs::write(&beside, text)?;
    std::fs::set_permissions(&beside, std::fs::metadata(&file)?.permissions())?;
    std::fs::rename(&beside, &file)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CROOKED: &str = "job \"a\" {\ntype=\"batch\"\n}\n";
    const LAID_OUT: &str = "job \"a\" {\n  type = \"batch\"\n}\n";

    /// An empty folder, gone when the test ends.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("sched-fmt-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn path(&self) -> &Path {
            &self.0
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            std::fs::remove_dir_all(&self.0).ok();
        }
    }

    fn args(path: &Path, check: bool, recursive: bool) -> Args {
        Args { paths: vec![path.display().to_string()], check, recursive, list: false, write: true }
    }

    #[test]
    fn files_of_a_folder_are_laid_out_and_those_of_its_folders_on_demand() {
        let folder = Folder::new("tree");
        let (top, inner) = (folder.path().join("a.hcl"), folder.path().join("inner/b.nomad"));
        std::fs::create_dir(folder.path().join("inner")).unwrap();
        for file in [&top, &inner, &folder.path().join("notes.txt")] {
            std::fs::write(file, CROOKED).unwrap();
        }
        let text = |file: &Path| std::fs::read_to_string(file).unwrap();
        assert_eq!(run(&args(folder.path(), true, false)).unwrap(), Exit::Failed);
        assert_eq!(text(&top), CROOKED, "-check changes nothing");
        assert_eq!(run(&args(folder.path(), false, false)).unwrap(), Exit::Done);
        assert_eq!((text(&top).as_str(), text(&inner).as_str()), (LAID_OUT, CROOKED));
        assert_eq!(run(&args(folder.path(), true, false)).unwrap(), Exit::Done);
        assert_eq!(run(&args(folder.path(), true, true)).unwrap(), Exit::Failed);
        assert_eq!(run(&args(folder.path(), false, true)).unwrap(), Exit::Done);
        assert_eq!(text(&inner), LAID_OUT);
        assert_eq!(text(&folder.path().join("notes.txt")), CROOKED, "what is no jobspec by its name is left alone");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3, "nothing is left beside the files");
    }

    #[test]
    fn a_file_with_an_error_is_left_alone_and_the_others_are_laid_out() {
        let folder = Folder::new("wrong");
        let (wrong, crooked) = (folder.path().join("a.hcl"), folder.path().join("b.hcl"));
        std::fs::write(&wrong, "job \"a\" {\n").unwrap();
        std::fs::write(&crooked, CROOKED).unwrap();
        let error = run(&args(folder.path(), false, false)).unwrap_err();
        assert!(error.to_string().contains("1 file could not be laid out"), "{error}");
        assert_eq!(std::fs::read_to_string(&wrong).unwrap(), "job \"a\" {\n");
        assert_eq!(std::fs::read_to_string(&crooked).unwrap(), LAID_OUT);
        let error = run(&args(&folder.path().join("none.hcl"), false, false)).unwrap_err();
        assert!(error.to_string().contains("none.hcl"), "{error}");
    }
}
