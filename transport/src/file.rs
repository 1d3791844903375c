//! Files at a place.

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

impl<'a> NodeFile<'a> {
    /// Its folder and its name.
    ///
    /// # Errors
    ///
    /// When the path does not begin at the root or has no name.
    pub(crate) fn place(&self) -> Result<(&'a str, &'a str), String> {
        match self.path.rsplit_once('/') {
            Some((folder, name)) if self.path.starts_with('/') && !name.is_empty() => Ok((folder, name)),
            _ => Err(format!("`{}` is not the path of a file from the root", self.path)),
        }
    }
}
