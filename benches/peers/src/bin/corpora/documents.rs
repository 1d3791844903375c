//! Documents of other formats, of any number of tests: one in a hundred fails, with three lines about it.

/// Writes a document of this many tests.
pub type Document = fn(usize, &mut dyn FnMut(&[u8]));

/// All of them, by the name of their file.
pub const ALL: [(&str, Document); 4] =
    [("tap", tap), ("gojson", gojson), ("junitxml", junitxml), ("libtest", libtest)];

fn fails(index: usize) -> bool {
    index % 100 == 99
}

fn tap(count: usize, out: &mut dyn FnMut(&[u8])) {
    out(format!("TAP version 13\n1..{count}\n").as_bytes());
    for index in 0..count {
        let number = index + 1;
        if fails(index) {
            let text = format!(
                "not ok {number} - unit {index} answers\n#   Failed test\n#   at t/unit.t line {index}.\n"
            );
            out(text.as_bytes());
        } else {
            out(format!("ok {number} - unit {index} answers\n").as_bytes());
        }
    }
}

fn gojson(count: usize, out: &mut dyn FnMut(&[u8])) {
    let package = "example.org/project/unit";
    let time = |index: usize| format!("2026-01-31T12:{:02}:{:02}.{:09}Z", index / 60 % 60, index % 60, index);
    for index in 0..count {
        let test = format!("\"Package\":\"{package}\",\"Test\":\"TestUnit{index}\"");
        let time = time(index);
        let mut line = |action: &str, rest: &str| {
            out(format!("{{\"Time\":\"{time}\",\"Action\":\"{action}\",{test}{rest}}}\n").as_bytes());
        };
        let (action, word) = if fails(index) { ("fail", "FAIL") } else { ("pass", "PASS") };
        line("run", "");
        line("output", &format!(",\"Output\":\"=== RUN   TestUnit{index}\\n\""));
        if fails(index) {
            line("output", ",\"Output\":\"    unit_test.go:9: want 1, got 2\\n\"");
        }
        line("output", &format!(",\"Output\":\"--- {word}: TestUnit{index} (0.00s)\\n\""));
        line(action, ",\"Elapsed\":0.01");
    }
    out(format!(
        "{{\"Time\":\"{}\",\"Action\":\"fail\",\"Package\":\"{package}\",\"Elapsed\":9.5}}\n",
        time(count)
    )
    .as_bytes());
}

fn junitxml(count: usize, out: &mut dyn FnMut(&[u8])) {
    let failures = count / 100;
    out(format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<testsuites>\n<testsuite name=\"unit\" tests=\"{count}\" failures=\"{failures}\" errors=\"0\" skipped=\"0\" time=\"9.5\" timestamp=\"2026-01-31T12:00:00\">\n").as_bytes());
    for index in 0..count {
        let case = format!("<testcase classname=\"project.unit\" name=\"test_{index}\" time=\"0.010\"");
        if fails(index) {
            let text = format!(
                "{case}>\n<failure type=\"AssertionError\" message=\"1 != 2\">first line\nsecond &lt;line&gt;\nthird line\n</failure>\n</testcase>\n"
            );
            out(text.as_bytes());
        } else {
            out(format!("{case}/>\n").as_bytes());
        }
    }
    out(b"</testsuite>\n</testsuites>\n");
}

fn libtest(count: usize, out: &mut dyn FnMut(&[u8])) {
    out(format!("     Running unittests src/lib.rs (target/debug/deps/unit-0123456789abcdef)\n\nrunning {count} tests\n").as_bytes());
    for index in 0..count {
        let word = if fails(index) { "FAILED" } else { "ok" };
        out(format!("test unit::tests::answers_{index} ... {word}\n").as_bytes());
    }
    out(b"\nfailures:\n\n");
    for index in (0..count).filter(|index| fails(*index)) {
        let text = format!(
            "---- unit::tests::answers_{index} stdout ----\nthread 'main' panicked at src/lib.rs:9:5:\nassertion failed\n\n"
        );
        out(text.as_bytes());
    }
    let failed = count / 100;
    let passed = count - failed;
    out(format!("\ntest result: FAILED. {passed} passed; {failed} failed; 0 ignored; 0 measured; 0 filtered out; finished in 9.50s\n").as_bytes());
}
