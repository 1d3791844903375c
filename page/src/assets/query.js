/* The query language of `cli::query`: the same words, the same errors; both are tested with the same table. */
const OUTCOMES = { pass: 'pass', passed: 'pass', success: 'pass', fail: 'fail', failed: 'fail', unfinished: 'unfinished', hung: 'unfinished', flaky: 'flaky', skip: 'skip', skipped: 'skip', xfail: 'xfail', uxsuccess: 'uxsuccess', exists: 'exists', failing: 'failing', failures: 'failing' };
const KEYS = ['id', 'is', 'new', 'on', 'tag'];
const UNITS = { ns: 1e-9, us: 1e-6, 'µs': 1e-6, 'μs': 1e-6, ms: .001, s: 1, min: 60, m: 60, h: 3600, d: 86400, w: 604800, '': 1 };
/* a length of time in seconds, or NaN */
function queryDuration(text) {
  if (/^(\d+\.?\d*|\.\d+)$/.test(text)) return +text;
  if (!/^((\d+\.?\d*|\.\d+)[a-zµμ]+)+$/.test(text)) return NaN;
  let sum = 0;
  for (const m of text.matchAll(/([\d.]+)([a-zµμ]+)/g)) sum += m[1] * (Object.hasOwn(UNITS, m[2]) ? UNITS[m[2]] : NaN);
  return sum;
}
/* terms as [kind, ...values], the kind with a - before it where it must not hold; throws { at, message } */
function parseQuery(text) {
  const c = [...text], terms = [], blank = x => x === ' ' || x === '\t' || x === '\n' || x === '\r';
  const fault = (at, message) => { throw { at: at + 1, message }; };
  let i = 0;
  const quoted = () => { /* at a quote; ends behind the closing one */
    const start = i++; let out = '';
    for (;; i++) {
      if (i >= c.length) fault(start, 'the quote is not closed');
      if (c[i] === '\\' && (c[i + 1] === '"' || c[i + 1] === '\\')) out += c[++i];
      else if (c[i] === '"') break;
      else out += c[i];
    }
    i++;
    if (i < c.length && !blank(c[i])) fault(i, 'behind a closing quote there is a space');
    return out;
  };
  const bare = () => { let out = ''; while (i < c.length && !blank(c[i])) out += c[i++]; return out; };
  const value = () => c[i] === '"' ? quoted() : bare();
  for (;;) {
    while (i < c.length && blank(c[i])) i++;
    if (i >= c.length) return terms;
    const start = i, not = c[i] === '-' && i + 1 < c.length && !blank(c[i + 1]) ? '-' : '';
    if (not) i++;
    const from = i;
    if (c[i] === '"') { terms.push([not + 'text', quoted()]); continue; }
    const word = bare(), m = /^([a-z]+):(?!:)/.exec(word), cmp = /^[<>]=?/.exec(word);
    if (cmp) {
      const length = word.slice(cmp[0].length), s = queryDuration(length);
      if (!(s >= 0 && s < Infinity)) fault(from + cmp[0].length, length ? '`' + length + '` is not a duration' : '`' + cmp[0] + '` needs a duration');
      terms.push([not + cmp[0], s]);
    } else if (!m) terms.push([not + 'text', word]);
    else if (!KEYS.includes(m[1])) fault(from, 'there is no key `' + m[1] + '`');
    else {
      const key = m[1];
      i = from + key.length + 1;
      const at = i, v = value();
      if (key === 'new') { if (v) fault(at, '`new:` takes no value'); terms.push([not + 'new']); continue; }
      if (!v) fault(start, '`' + key + ':` needs a value');
      if (key !== 'is') { terms.push([not + key, v]); continue; }
      let place = at; const words = [];
      for (const w of v.split(',')) {
        if (!Object.hasOwn(OUTCOMES, w)) fault(place, 'there is no outcome `' + w + '`');
        words.push(OUTCOMES[w]); place += [...w].length + 1;
      }
      terms.push([not + 'is', ...words]);
    }
  }
}
/* whether a whole text is like a pattern, in which * stands for anything */
function queryLike(pattern, text) {
  const parts = pattern.split('*'), last = parts.pop();
  if (!parts.length) return pattern === text;
  if (!text.startsWith(parts[0])) return false;
  let at = parts[0].length;
  for (const p of parts.slice(1)) { const j = text.indexOf(p, at); if (j < 0) return false; at = j + p.length; }
  return text.length - last.length >= at && text.endsWith(last);
}
/* a function of a test { id, low, oc, on, tags, dur, isNew }, where low is the id in small letters and tags is a list */
function queryMatcher(terms) {
  const all = [], any = { is: [], on: [] };
  for (const [kind, ...v] of terms) {
    const not = kind[0] === '-', k = not ? kind.slice(1) : kind;
    const low = k === 'text' ? v[0].toLowerCase() : '';
    const f = k === 'text' ? t => t.low.includes(low)
      : k === 'is' ? t => v.includes(t.oc) || (v.includes('failing') && (t.oc === 'fail' || t.oc === 'uxsuccess' || t.oc === 'unfinished'))
      : k === 'on' ? t => t.on === v[0] || t.on.startsWith(v[0] + '/')
      : k === 'tag' ? t => t.tags.includes(v[0])
      : k === 'id' ? t => queryLike(v[0], t.id)
      : k === 'new' ? t => !!t.isNew
      : k === '>' ? t => t.dur > v[0] : k === '>=' ? t => t.dur >= v[0] : k === '<' ? t => t.dur < v[0] : t => t.dur <= v[0];
    if (!not && any[k]) any[k].push(f); else all.push(not ? t => !f(t) : f);
  }
  for (const k in any) if (any[k].length) { const l = any[k]; all.push(l.length === 1 ? l[0] : t => l.some(f => f(t))); }
  return t => all.every(f => f(t));
}
