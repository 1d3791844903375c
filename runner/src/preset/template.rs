//! Names that are made of fields.

use serde::{Deserialize, Deserializer, de::Error as _};

use super::pattern::Fields;
use super::quote::Quoting;

/// A text with fields in it: `{package}.{name}`, or `{name:regex}` where the field has to be quoted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Field(String, Quoting),
}

/// The field `id`.
impl Default for Template {
    fn default() -> Self {
        Template(vec![Piece::Field("id".to_owned(), Quoting::Plain)])
    }
}

impl Template {
    fn read(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((field, after)) = after.split_once('}') else {
                return Err(format!("{text:?}: a brace is not closed"));
            };
            let (name, quoting) = field.split_once(':').unwrap_or((field, ""));
            let Some(quoting) = Quoting::named(quoting) else {
                return Err(format!(
                    "{text:?}: nothing is quoted as {quoting:?}: regex, lua, gtest, nextest, crate"
                ));
            };
            pieces.push(Piece::Text(before.to_owned()));
            pieces.push(Piece::Field(name.to_owned(), quoting));
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Ok(Template(pieces))
    }

    /// With these fields in their places, and nothing for those that are not known.
    pub(super) fn fill(&self, fields: &Fields) -> String {
        let mut out = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Field(name, quoting) => {
                    quoting.quote(fields.get(name).map_or("", String::as_str), &mut out);
                }
            }
        }
        out
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Template::read(&text).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_stand_in_their_places() {
        let fields = [("a", "x.y"), ("b", "z")].map(|(name, text)| (name.to_owned(), text.to_owned()));
        let fields = Fields::from(fields);
        let check = |text, expected: Result<&str, &str>| {
            let filled = Template::read(text).map(|template| template.fill(&fields));
            assert_eq!(filled.as_deref().map_err(String::as_str), expected);
        };
        check("{a}/{b}", Ok("x.y/z"));
        check("^{a:regex}$", Ok(r"^x\.y$"));
        check("{none}", Ok(""));
        check("{a", Err("\"{a\": a brace is not closed"));
        check("{a:b}", Err("\"{a:b}\": nothing is quoted as \"b\": regex, lua, gtest, nextest, crate"));
    }
}
