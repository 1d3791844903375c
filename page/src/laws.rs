//! What holds for every run: what others wrote stays text in its place, and the list can be read back.

use html5ever::tendril::TendrilSink as _;
use html5ever::tree_builder::TreeBuilderOpts;
use html5ever::{ParseOpts, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use proptest::collection::vec;
use proptest::prelude::*;
use streamresult::{Records, StreamResult as _, Summary};
use subunit::{Event, File, Status, Timestamp};

use super::*;

/// What the page is made of; nothing else may come of what others wrote.
const ELEMENTS: &str = "html head meta link title style body a svg defs symbol path pattern main div rect h1 h2 h3 h4 p \
    nav section ul li ol article span small dl dt dd details summary pre i mark img code b br text line g use figure \
    table thead tbody tr th td label input select option button noscript footer script";
/// What hostile texts are made of, between any characters.
const HOSTILE: [&str; 24] = [
    "<",
    ">",
    "&",
    "\"",
    "'",
    "</pre>",
    "</noscript>",
    "</script>",
    "<script>",
    "<!--",
    "]]>",
    "<img src=x onerror=a>",
    "\\",
    "\\t",
    "\t",
    "\n",
    "\r",
    "\u{202e}",
    "\u{2028}",
    "&lt;",
    "::",
    ".",
    " ",
    "(no group)",
];

fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        proptest::sample::select(&HOSTILE[..]).prop_map(str::to_owned),
        "\\PC{0,3}",
        "[a-z]{0,3}"
    ];
    vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

/// A text of at least a character.
fn name() -> impl Strategy<Value = String> {
    text().prop_map(|text| if text.is_empty() { "x".to_owned() } else { text })
}

#[derive(Clone, Debug)]
struct Test {
    id: String,
    route: Option<String>,
    tags: Vec<String>,
    file: String,
    bytes: Vec<u8>,
    status: Status,
}

fn test() -> impl Strategy<Value = Test> {
    let bytes = prop_oneof![text().prop_map(String::into_bytes), vec(any::<u8>(), 0..20)];
    let status = proptest::sample::select(&Status::ALL[1..]);
    (name(), proptest::option::of(name()), vec(name(), 0..3), name(), bytes, status)
        .prop_map(|(id, route, tags, file, bytes, status)| Test { id, route, tags, file, bytes, status })
}

fn page(tests: &[Test], title: &str) -> String {
    let mut records = Records::new((PageRecords::default(), Summary::new()));
    for (number, test) in tests.iter().enumerate() {
        let tags: Vec<&str> = test.tags.iter().map(String::as_str).collect();
        let at = |seconds| Some(Timestamp::from_seconds(seconds));
        let event = Event {
            test_id: Some(&test.id),
            route_code: test.route.as_deref(),
            tags: tags[..].into(),
            runnable: true,
            ..Event::default()
        };
        let number = number as u32;
        let file = Some(File { name: &test.file, bytes: &test.bytes });
        records.status(&Event { status: Some(Status::InProgress), timestamp: at(number), ..event }).unwrap();
        records.status(&Event { file, ..event }).unwrap();
        let last = Event { status: Some(test.status), timestamp: at(number + 1), ..event };
        records.status(&last).unwrap();
    }
    let output = Some(File { name: "stdout", bytes: title.as_bytes() });
    records.status(&Event { file: output, ..Event::default() }).unwrap();
    records.stop_run().unwrap();
    let (kept, summary) = records.into_sink();
    let mut html = Vec::new();
    let options = PageOptions { title: Some(title.to_owned()), ..PageOptions::default() };
    kept.write(&summary, &options, &mut html).unwrap();
    String::from_utf8(html).unwrap()
}

/// An element of the page.
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
    is_in_article: bool,
}

impl Element {
    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|attribute| attribute.0 == name).map(|attribute| &*attribute.1)
    }
}

/// All elements of the page, as a browser makes them.
fn parse(html: &str, has_scripts: bool) -> Vec<Element> {
    let tree_builder = TreeBuilderOpts { scripting_enabled: has_scripts, ..TreeBuilderOpts::default() };
    let options = ParseOpts { tree_builder, ..ParseOpts::default() };
    let dom = parse_document(RcDom::default(), options).one(html);
    let mut elements = Vec::new();
    walk(&dom.document, false, &mut elements);
    elements
}

/// Adds the elements within a node, and returns its text.
fn walk(node: &Handle, is_in_article: bool, elements: &mut Vec<Element>) -> String {
    let place = elements.len();
    let mut is_inside = is_in_article;
    if let NodeData::Element { name, attrs, .. } = &node.data {
        let name = name.local.to_string();
        is_inside |= name == "article";
        let attribute = |attribute: &html5ever::Attribute| {
            (attribute.name.local.to_string(), attribute.value.to_string())
        };
        let attributes = attrs.borrow().iter().map(attribute).collect();
        elements.push(Element { name, attributes, text: String::new(), is_in_article });
    }
    let mut text = match &node.data {
        NodeData::Text { contents } => contents.borrow().to_string(),
        _ => String::new(),
    };
    for child in node.children.borrow().iter() {
        text += &walk(child, is_inside, elements);
    }
    if let NodeData::Element { .. } = &node.data {
        elements[place].text = text.clone();
    }
    text
}

fn named<'a>(elements: &'a [Element], name: &'a str) -> impl Iterator<Item = &'a Element> {
    elements.iter().filter(move |element| element.name == name)
}

fn check_elements(elements: &[Element]) {
    let known: Vec<&str> = ELEMENTS.split_whitespace().collect();
    for element in elements {
        assert!(known.contains(&&*element.name), "<{}>", element.name);
        for (name, text) in &element.attributes {
            assert!(!name.starts_with("on") && name != "style", "{name}={text}");
            let is_inside = text.starts_with('#') || text.starts_with("data:");
            assert!(!matches!(&**name, "href" | "src") || is_inside, "{name}={text}");
        }
    }
    assert_eq!((named(elements, "script").count(), named(elements, "style").count()), (1, 1));
    let mut ids: Vec<&str> = elements.iter().filter_map(|element| element.attribute("id")).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
}

/// Reads a field of the list as the script does.
fn read(field: &str) -> String {
    let text = field.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
    let (mut out, mut rest) = (String::new(), text.as_str());
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let code = |digits: &str| char::from_u32(u32::from_str_radix(digits, 16).unwrap()).unwrap();
        let (character, len) = match after.as_bytes()[0] {
            b't' => ('\t', 1),
            b'n' => ('\n', 1),
            b'r' => ('\r', 1),
            b'\\' => ('\\', 1),
            b'x' => (code(&after[1..3]), 3),
            _ => (code(&after[2..after.find('}').unwrap()]), after.find('}').unwrap() + 1),
        };
        out.push(character);
        rest = &after[len..];
    }
    out + rest
}

type Listed = (String, String, Vec<String>);

/// Id, place and tags of each test of the list.
fn listed(elements: &[Element]) -> Vec<Listed> {
    let raw = &named(elements, "noscript").next().unwrap().text;
    let list =
        raw.split_once("<pre class=\"plain\" tabindex=\"0\">\n").unwrap().1.strip_suffix("</pre>").unwrap();
    let mut group = String::new();
    let mut tests = Vec::new();
    for line in list.lines() {
        match line.strip_prefix(' ') {
            None => group = if line == list::NO_GROUP { String::new() } else { read(line) },
            Some(line) => {
                let fields: Vec<&str> = line.split('\t').collect();
                assert_eq!(fields.len(), 8, "{line}");
                let tags = fields[5].split(' ').filter(|tag| !tag.is_empty()).map(read).collect();
                tests.push((group.clone() + &read(fields[4]), read(fields[3]), tags));
            }
        }
    }
    tests.sort();
    tests
}

fn expected(tests: &[Test]) -> Vec<Listed> {
    let listed = tests.iter().map(|test| {
        let mut tags: Vec<String> = Vec::new();
        test.tags.iter().for_each(|tag| {
            if !tags.contains(tag) {
                tags.push(tag.clone());
            }
        });
        (test.id.clone(), test.route.clone().unwrap_or_default(), tags)
    });
    let mut listed: Vec<Listed> = listed.collect();
    listed.sort();
    listed
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_others_wrote_stays_text_and_can_be_read_back(tests in vec(test(), 0..5), title in name()) {
        let html = page(&tests, &title);
        let elements = parse(&html, true);
        check_elements(&elements);
        prop_assert_eq!(listed(&elements), expected(&tests));
        // A newline that a parser takes away would be missing here.
        let title_shown = &named(&elements, "title").next().unwrap().text;
        let shown = formats::visible::line(&title).into_owned();
        prop_assert!(title_shown.ends_with(&shown), "{title_shown}");
    }

    #[test]
    fn evidence_is_shown_as_it_is(text in text(), tail in "[a-z<&\n]{0,30}") {
        let bytes = format!("{text}{tail}").into_bytes();
        let test = Test { bytes: bytes.clone(), file: "traceback".into(), status: Status::Fail, id: "a".into(), route: None, tags: vec![] };
        let elements = parse(&page(&[test], "x"), true);
        let found = named(&elements, "pre").filter(|pre| pre.is_in_article).map(|pre| &*pre.text);
        let found: String = found.collect();
        let shown = formats::visible::lossy_text(&bytes).replace("\\r\n", "\n");
        prop_assert_eq!(found.trim_end_matches('\n'), shown.trim_end_matches('\n'));
    }
}

#[test]
fn without_scripts_the_list_is_a_list() {
    let test = Test {
        id: "a.<b>".into(),
        route: None,
        tags: vec![],
        file: "f".into(),
        bytes: vec![],
        status: Status::Success,
    };
    let elements = parse(&page(&[test], "x"), false);
    check_elements(&elements);
    let list = named(&elements, "pre").last().unwrap();
    assert_eq!(list.text, "a.\n pass\t1\t0\t\t<b>\t\t\tf\n");
}

/// Runners announce all tests before the first begins.
#[test]
fn what_was_announced_before_it_failed_is_shown_whole() {
    let mut records = Records::new((PageRecords::default(), Summary::new()));
    let ids = ["a", "b", "c", "d"];
    ids.iter().for_each(|id| records.status(&Event::status(id, Status::Exists)).unwrap());
    let end = |id, status| Event { runnable: true, ..Event::status(id, status) };
    records.status(&end("a", Status::Success)).unwrap();
    records.status(&end("b", Status::Fail)).unwrap();
    records.status(&end("c", Status::InProgress)).unwrap();
    records.stop_run().unwrap();
    let (kept, summary) = records.into_sink();
    let mut html = Vec::new();
    kept.write(&summary, &PageOptions::default(), &mut html).unwrap();
    let elements = parse(&String::from_utf8(html).unwrap(), true);
    let headings = named(&elements, "h3").filter(|heading| heading.is_in_article);
    let headings: Vec<&str> = headings.map(|heading| heading.text.trim()).collect();
    assert_eq!(headings, ["Failure 1: b", "Failure 2: c"]);
    let listed: Vec<String> = listed(&elements).into_iter().map(|(id, ..)| id).collect();
    assert_eq!(listed, ids);
}
