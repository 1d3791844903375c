//! What the output of a test says of its failure, where no traceback says why.
//!
//! Forges and their dashboards show the text of `failure`, and nothing else. So where there is no traceback, as for a
//! test in Go, a test point of TAP or a command, the ends of its outputs stand there as well as in `system-out`.

use std::io;

use streamresult::{Attachment, PROPERTIES_FILE};

use super::tail;
use crate::charset::Content;
use crate::junit::names::cut;

/// How much of the end of each output is shown, and of how many.
const LONGEST: usize = 8 << 10;
const MOST: usize = 4;
/// Files that are text and say nothing of a failure.
const OTHERS: [&str; 2] = [PROPERTIES_FILE, "attributes"];

/// The ends of outputs, each below its name where there are several texts.
#[derive(Debug, Default)]
pub(crate) struct Evidence {
    pub(crate) text: String,
}

impl Evidence {
    /// The evidence in these files; where another text stands before it, all have headings.
    pub(crate) fn of<'a>(files: impl Iterator<Item = Attachment<'a>>, has_text: bool) -> io::Result<Self> {
        let mut outputs = Vec::new();
        for file in files.filter(|file| may_tell(file)) {
            if outputs.len() < MOST && Content::of_attachment(&file)? != Content::Binary {
                outputs.push((file.name(), tail(&file, LONGEST)?));
            }
        }
        outputs.retain(|(_, text)| !text.trim().is_empty());
        let has_headings = has_text || outputs.len() > 1;
        let mut evidence = Evidence::default();
        for (name, text) in outputs {
            if has_headings {
                evidence.line(&format!("{}:", cut(name)));
            }
            evidence.text.push_str(&text);
        }
        Ok(evidence)
    }

    fn line(&mut self, line: &str) {
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
        self.text.push_str(line);
        self.text.push('\n');
    }
}

/// Whether a file may say why its test failed: it is text, and not for programs.
fn may_tell(file: &Attachment<'_>) -> bool {
    let is_text = file.mime_type().is_none_or(|mime_type| mime_type.starts_with("text/"));
    is_text && !OTHERS.contains(&file.name())
}
