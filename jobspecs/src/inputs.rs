//! What a caller gives beside the jobspec: values of variables, and leave to read files.

use std::fmt;

/// Values for the jobspec's variables. Later sources win: `environment`, then `var_files`, then `variables`, each in
/// order.
#[derive(Clone, Copy, Default)]
pub struct Inputs<'a> {
    /// The namespace of a job that names none; `default` unless given.
    pub namespace: Option<&'a str>,
    /// From flags, `-var name=text`: name, text, and the flag for display.
    pub variables: &'a [(String, String, String)],
    /// Variable files: name for display, and text in HCL or JSON.
    pub var_files: &'a [(String, String)],
    /// The environment, of which `NOMAD_VAR_<name>` and `SCHED_VAR_<name>` are read.
    pub environment: &'a [(String, String)],
    /// Whether values for variables that the jobspec does not declare are passed over, as those of the environment are;
    /// else they are errors.
    pub passes_over_undeclared: bool,
    /// The files that the jobspec's functions may read; none on a server.
    pub allow_files: Option<&'a dyn Files>,
    /// Where `bcrypt` and `uuidv4` get their random bytes; without it they are refused.
    pub random: Option<FillRandom<'a>>,
}

/// Fills all of a slice with bytes that nobody can foresee.
pub type FillRandom<'a> = &'a dyn Fn(&mut [u8]);

impl<'a> Inputs<'a> {
    pub(crate) fn outside(&self) -> Outside<'a> {
        Outside { files: self.allow_files, random: self.random }
    }
}

/// What the jobspec's functions may reach outside of it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Outside<'a> {
    pub files: Option<&'a dyn Files>,
    pub random: Option<FillRandom<'a>>,
}

impl fmt::Debug for Inputs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values may be secrets: only their number is shown.
        f.debug_struct("Inputs")
            .field("variables", &self.variables.len())
            .field("var_files", &self.var_files.len())
            .field("environment", &self.environment.len())
            .field("passes_over_undeclared", &self.passes_over_undeclared)
            .field("allow_files", &self.allow_files.is_some())
            .field("random", &self.random.is_some())
            .finish()
    }
}

/// The files that a jobspec's functions read, relative to where its author stands.
pub trait Files {
    /// The bytes of the file at `path`, or why they can't be read.
    fn read(&self, path: &str) -> Result<Vec<u8>, String>;
    /// Whether there is a file at `path`.
    fn exists(&self, path: &str) -> bool;
    /// What stands in the folder at `path`, in any order: nothing if there is no such folder.
    fn list(&self, path: &str) -> Result<Vec<Entry>, String>;
    /// The folder that relative paths start from, as an absolute path.
    fn current_folder(&self) -> Result<String, String>;
    /// The folder that `~` stands for.
    fn home_folder(&self) -> Result<String, String>;
}

/// What a folder has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name in its folder.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
}

/// What stands in a folder. Sockets, devices and broken links are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A file, or a link to one.
    File,
    /// A folder.
    Folder,
    /// A link to a folder, which may lead back.
    FolderByLink,
}
