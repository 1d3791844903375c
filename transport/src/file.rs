//! Files at a place.

use super::NodeFailure;

/// A file that is put at a place.
#[derive(Clone, Copy, Debug)]
pub struct NodeFile<'a> {
    /// Where, from the root; the folder is there.
    pub path: &'a str,
    /// What is in it.
    pub content: &'a [u8],
    /// Its permissions: `0o755`, say.
    pub mode: u32,
}

/// The folder and the name of a file at a place.
///
/// # Errors
///
/// When the path does not begin at the root or has no name.
pub(crate) fn folder_and_name(path: &str) -> Result<(&str, &str), NodeFailure> {
    match path.rsplit_once('/') {
        Some((folder, name)) if path.starts_with('/') && !name.is_empty() => Ok((folder, name)),
        _ => Err(NodeFailure::new(format!("`{path}` is not the path of a file from the root"))),
    }
}
