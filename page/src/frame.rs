//! What stands around the content of a page: the head, the verdict, the foot, and what browsers are told to allow.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::escape::{Esc, Line};

/// The style of all pages.
pub const STYLE: &str = include_str!("assets/style.css");
const QUERY: &str = include_str!("assets/query.js");
const SCRIPT: &str = include_str!("assets/page.js");
const SYMBOLS: &str = include_str!("assets/symbols.svg");

/// How something went, for the sign and the colour. Closed: these are all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Nothing speaks against it.
    Good,
    /// It is not quite right, or not known.
    Doubtful,
    /// It went wrong.
    Bad,
}

/// The place of a page in a site; without it a page is one file, which refers to nothing.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// The links that stand above all pages, as HTML.
    pub top: &'a str,
    /// Where the same is to be had as JSON.
    pub json: &'a str,
    /// Where events tell that the page has changed.
    pub events: Option<&'a str>,
}

/// The script of the page about a run, as a site has it: it begins again when the content is replaced.
#[must_use]
pub fn linked_script() -> String {
    format!(
        "(() => {{\n'use strict';\n{QUERY}let stop, again = false;\nconst begin = () => {{ if (stop) stop.abort(); \
         stop = new AbortController(); const {{ signal }} = stop;\n{SCRIPT}again = true;\n}};\nbegin();\n\
         addEventListener('replaced', begin);\n}})();\n"
    )
}

fn inline_script() -> String {
    format!(
        "(() => {{\n'use strict';\nconst {{ signal }} = new AbortController(), again = false;\n{QUERY}{SCRIPT}}})();\n"
    )
}

/// Opens a page, up to its content. The title is text.
pub fn open(title: &str, site: Option<Site<'_>>, out: &mut String) {
    let allowed = match site {
        Some(_) => "<link rel=\"stylesheet\" href=\"/style.css\">".to_owned(),
        None => format!("<style>{STYLE}</style>"),
    };
    let policy = match site {
        Some(_) => String::new(),
        None => format!(
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{}'; \
             script-src 'sha256-{}'; img-src data:; base-uri 'none'; form-action 'none'\">\n",
            digest(STYLE),
            digest(&inline_script())
        ),
    };
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n{policy}\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"referrer\" content=\"no-referrer\"><link rel=\"icon\" href=\"data:,\">\n\
         <title>{}</title>\n{allowed}</head>\n<body>\n\
         <a class=\"skip\" href=\"#main\">Skip to the content</a>\n\
         <svg width=\"0\" height=\"0\" class=\"vh\" aria-hidden=\"true\"><defs>\n{SYMBOLS}</defs></svg>\n{}",
        Esc(title),
        site.map_or("", |site| site.top),
    );
    let _ = match site.and_then(|site| site.events) {
        Some(events) => write!(out, "<main id=\"main\" data-events=\"{}\">", Esc(events)),
        None => write!(out, "<main id=\"main\">"),
    };
}

/// The foot of a page, which says this, and its end. `has_script` is of the page about a run.
pub fn close(said: &str, site: Option<Site<'_>>, has_script: bool, out: &mut String) {
    let json =
        site.map(|site| format!(" The same as JSON: <a href=\"{0}\"><code>{0}</code></a>.", Esc(site.json)));
    let _ = writeln!(
        out,
        "</main>\n<footer><div class=\"wrap\"><p>{said}{}</p></div></footer>",
        json.unwrap_or_default()
    );
    match site {
        None if has_script => {
            let _ = writeln!(out, "<script>{}</script>", inline_script());
        }
        None => {}
        Some(site) => {
            if has_script {
                out.push_str("<script src=\"/run.js\"></script>\n");
            }
            if site.events.is_some() {
                out.push_str("<script src=\"/live.js\"></script>\n");
            }
        }
    }
    out.push_str("</body></html>\n");
}

/// How it went, at the head of a page. `meta` is HTML, the rest is text.
pub fn verdict(tone: Tone, (heading, lead): (&str, &str), meta: &str, again: Option<&str>, out: &mut String) {
    let (class, plate, sign) = match tone {
        Tone::Bad => ("", "#a81e17", "M13 9 22 18 31 9 35 13 26 22 35 31 31 35 22 26 13 35 9 31 18 22 9 13z"),
        Tone::Doubtful => (" warn", "#7d4e00", "M19 8h6l-1 18h-4zM19 30h6v6h-6z"),
        Tone::Good => (" ok", "#0b6158", "M8.500 23 13 18.500 19 24.500 31 11 35.500 15.500 19.500 33.500z"),
    };
    let _ = write!(
        out,
        "<div class=\"verdict{class}\"><svg aria-hidden=\"true\" width=\"44\" height=\"44\" viewBox=\"0 0 44 44\">\
         <rect class=\"plate\" fill=\"{plate}\" width=\"44\" height=\"44\" rx=\"4\"/><path class=\"sign\" fill=\"#fff\" d=\"{sign}\"/></svg>\n\
         <div><h1>{}</h1>\n",
        Line(heading)
    );
    if !lead.is_empty() {
        let _ = writeln!(out, "<p class=\"lead\">{}</p>", Line(lead));
    }
    if !meta.is_empty() {
        let _ = writeln!(out, "<p class=\"meta\">{meta}</p>");
    }
    if let Some(again) = again {
        let _ = write!(out, "<div class=\"again\"><code>{}</code></div>", Line(again));
    }
    out.push_str("</div></div>\n");
}

fn digest(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text.as_bytes()))
}
