// Has the page's parser of queries read the table of `cli::query`: `node query.js PARSER CASES`.
const fs = require('fs'), assert = require('node:assert/strict');
const [parser, cases] = process.argv.slice(2).map(path => fs.readFileSync(path, 'utf8'));
const { parseQuery, queryMatcher } = new Function(parser + 'return { parseQuery, queryMatcher };')();
const test = t => ({ id: t.id, low: t.id.toLowerCase(), oc: t.is, on: t.on || '', tags: t.tags || [], dur: t.took ?? NaN, isNew: !!t.new });
const { tests, queries } = JSON.parse(cases);
for (const { query, terms, error, matches } of queries) {
  let read;
  try { read = { terms: parseQuery(query) }; } catch (e) { if (!e.at) throw e; read = { error: [e.at, e.message] }; }
  const near = read.terms && terms && read.terms.length === terms.length && read.terms.every((term, i) =>
    term.length === terms[i].length && term.every((v, j) => typeof v === 'number' ? Math.abs(v - terms[i][j]) <= 1e-9 * Math.abs(v) : v === terms[i][j]));
  if (!near) assert.deepEqual(read, error ? { error } : { terms }, query);
  if (matches) assert.deepEqual(tests.filter(t => queryMatcher(read.terms)(test(t))).map(t => t.id), matches, query);
}
console.log(queries.length + ' queries');
