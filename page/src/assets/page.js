/* Everything above the list is already in the page; without this script the <noscript> element shows the same list as
   text. That text is the data: with scripts on, browsers keep it unparsed as one string (no nodes, no layout), and this
   reads it from there. */
const $ = (s, e = document) => e.querySelector(s);
const el = (n, c, t) => { const e = document.createElement(n); if (c) e.className = c; if (t != null) e.textContent = t; return e; };
const SVG = 'http://www.w3.org/2000/svg';
const sv = (n, a) => { const e = document.createElementNS(SVG, n); for (const k in a) e.setAttribute(k, a[k]); return e; };
const dur = s => s < .0009995 ? Math.round(s * 1e6) + ' µs' : s < .999995 ? (s * 1000).toFixed(3).slice(0, 4).replace(/\.$/, '') + ' ms' : s < 60 ? s.toFixed(1) + ' s' : s < 3600 ? Math.floor(s / 60) + ' min ' + Math.floor(s) % 60 + ' s' : s < 86400 ? Math.floor(s / 3600) + ' h ' + Math.floor(s / 60) % 60 + ' min' : Math.floor(s / 86400) + ' d ' + Math.floor(s / 3600) % 24 + ' h';
const clock = s => { const t = Math.round(s * 10), m = Math.floor(t / 600); return m < 60 ? m + ':' + (t % 600 / 10).toFixed(1).padStart(4, '0') : Math.floor(m / 60) + ':' + String(m % 60).padStart(2, '0') + ':' + String(Math.floor(t / 10) % 60).padStart(2, '0'); };
const grouped = n => n < 10000 ? '' + n : String(n).replace(/\B(?=(\d{3})+$)/g, '\u202f');
const CLS = { unfinished: 'hung', skip: 'skp', exists: 'skp', uxsuccess: 'fail' };
const ICON = { uxsuccess: 'fail', exists: 'skip' };
const encoder = new TextEncoder();
const fnv = s => { let h = 0x811c9dc5; for (const b of encoder.encode(s)) { h ^= b; h = Math.imul(h, 0x01000193) >>> 0; } return h.toString(16).padStart(8, '0'); };

/* data: a line without leading space is a prefix of ids, one with it a test of that prefix */
const raw = $('#data').textContent, tests = [];
const dec = s => s.indexOf('&') < 0 ? s : s.replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&quot;/g, '"').replace(/&amp;/g, '&');
const ESC = { t: '\t', n: '\n', r: '\r', '\\': '\\' };
const read = s => { s = dec(s); return s.indexOf('\\') < 0 ? s : s.replace(/\\(?:x([0-9a-f]{2})|u\{([0-9a-f]+)\}|(.))/g, (m, x, u, c) => x || u ? String.fromCodePoint(parseInt(x || u, 16)) : ESC[c]); };
/* what cannot be seen is shown, as everywhere in the page */
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
const SHORT = { '\t': '\\t', '\n': '\\n', '\r': '\\r' };
const seen = s => s.replace(HIDDEN, c => { const n = c.charCodeAt(0), h = n.toString(16); return SHORT[c] || (n < 128 ? '\\x' + h.padStart(2, '0') : '\\u{' + h + '}'); });
{
  let at = raw.indexOf('>', raw.indexOf('<pre')) + 1, stop = raw.indexOf('</pre>', at), group = '';
  const lists = new Map([['', []]]), texts = new Map();
  const list = s => { let l = lists.get(s); if (!l) lists.set(s, l = s.split(' ').map(read)); return l; };
  const shared = s => { let l = texts.get(s); if (l == null) texts.set(s, l = read(s)); return l; };
  while (at < stop) {
    let e = raw.indexOf('\n', at); if (e < 0 || e > stop) e = stop;
    if (raw.charCodeAt(at) === 32) {
      const f = raw.slice(at + 1, e).split('\t'), leaf = read(f[4]), id = group + leaf;
      tests.push({ oc: f[0], dur: f[1] ? +f[1] : NaN, start: f[2] ? +f[2] : NaN, on: shared(f[3]), leaf, group, id, low: id.toLowerCase(), tags: list(f[5]), hist: f[6], isNew: f[6] !== '' && !/[fuh]\d+$/.test(f[6].replace(/-\d+$/, '')), more: f[7] });
    } else if (e > at) { group = raw.slice(at, e); group = group === '(no group)' ? '' : read(group); }
    at = e + 1;
  }
}
let longest = 1;

/* the query is text; buttons and menus write into it; it is the permalink */
const q = $('#q'), list = $('#rows'), say = $('#found');
let found = tests, items = [], flat = false, H = 29, windowed = false, shown = null;
const WHOLE = 1500; /* up to here every row is a real element: find-in-page, print and readers see all */
const live = new Map(); let opened = -1, wanted = -1;
function row(it, i) {
  const li = el('li');
  if (it.head != null) { li.className = 'g'; li.textContent = seen(it.head) + '  (' + it.n + ')'; return li; }
  const t = it, b = el('button', 'row'); b.type = 'button'; b.setAttribute('aria-expanded', 'false');
  const s = el('span', 'st ' + (CLS[t.oc] || t.oc)), g = sv('svg', { 'aria-hidden': 'true' }); g.append(sv('use', { href: '#i-' + (ICON[t.oc] || t.oc) })); s.append(g, t.oc);
  const id = el('span', 'id'); if (flat && t.group) id.append(el('span', '', seen(t.group))); id.append(el('b', '', seen(t.leaf))); if (flat) id.title = seen(t.id);
  const bar = sv('svg', { class: 'took bar1', 'aria-hidden': 'true' }); if (t.dur > 0 && t.oc !== 'skip') bar.append(sv('rect', { width: Math.min(100, 100 * t.dur / longest).toFixed(1) + '%', height: 8 }));
  const tags = t.tags.map(seen).join(' ');
  b.append(s, ' ', id, ' ', bar, el('span', 'num dur', t.dur >= 0 && t.oc !== 'skip' ? dur(t.dur) : ''), ' ', el('span', 'on mono', seen(t.on)), ' ', el('span', 'tags small', tags));
  b.lastChild.title = tags;
  b.onclick = () => toggle(t, li, b, i);
  li.append(b); li.t = t;
  if (windowed) { li.setAttribute('aria-setsize', items.length); li.setAttribute('aria-posinset', i + 1); }
  return li;
}
function toggle(t, li, b, i) {
  const d = $('.d', li);
  if (d) { d.remove(); b.setAttribute('aria-expanded', 'false'); if (opened === i) opened = -1; return; }
  if (windowed) { const o = live.get(opened); if (o && o !== li) $('button', o).click(); opened = i; }
  b.setAttribute('aria-expanded', 'true');
  const p = el('div', 'd'), dl = el('dl', 'kv'), h = 't-' + fnv(t.id);
  const kv = (k, v) => { if (!v) return; const dd = el('dd'); dd.append(v); dl.append(el('dt', '', k), ' ', dd); };
  kv('id', el('code', '', seen(t.id)));
  kv('ran', t.start >= 0 ? clock(t.start) + (t.dur >= 0 ? ' to ' + clock(t.start + t.dur) : '') : '');
  kv('on', seen(t.on)); kv('tags', t.tags.map(seen).join(' '));
  kv('earlier', earlier(t.hist)); kv(t.oc === 'skip' ? 'reason' : 'with it', seen(read(t.more || '')));
  const a = el('a', '', document.getElementById(h) ? 'its evidence above' : 'link to this test'); a.href = '#' + h; kv('go to', a);
  p.append(dl); li.append(p);
}
const WORDS = { p: 'passed', k: 'flaky', f: 'failed', u: 'passed unexpectedly', h: 'never finished', s: 'skipped', x: 'failed as expected', '-': 'not run' };
const earlier = h => (h.match(/\D\d+/g) || []).map(m => WORDS[m[0]] + (m.length > 1 && m.slice(1) !== '1' ? ' ' + m.slice(1) + ' times' : ' once')).join(', then ');
function draw() {
  list.textContent = ''; live.clear(); opened = -1; list.classList.toggle('flat', flat);
  windowed = items.length > WHOLE;
  if (windowed) { H = 29; slide(); return; }
  const f = document.createDocumentFragment(); items.forEach((it, i) => f.append(row(it, i))); list.append(f);
}
/* windowed: rows of one height, and room for the others; the row with the focus and the open one stay alive */
function slide() {
  if (!windowed) return;
  const o = live.get(opened), extra = o ? o.offsetHeight - H : 0;
  let y = -list.getBoundingClientRect().top; if (o && y > opened * H) y = Math.max(opened * H, y - extra);
  const n = Math.ceil(innerHeight / H) + 40, a = Math.max(0, Math.min(items.length - n, Math.floor(y / H) - 20)), z = Math.min(items.length, a + n);
  const want = new Set(); for (let i = a; i < z; i++) want.add(i); if (wanted >= 0) want.add(wanted);
  const on = document.activeElement && document.activeElement.closest('#rows > li');
  for (const [i, li] of live) if (i === opened || li === on) want.add(i); else if (!want.has(i)) { li.remove(); live.delete(i); }
  for (const s of list.querySelectorAll('.room')) s.remove();
  const room = n => { const s = el('li', 'room'); s.setAttribute('aria-hidden', 'true'); s.style.height = n * H + 'px'; return s; };
  let ref = list.firstChild, before = -1;
  for (const i of [...want].sort((x, y) => x - y)) {
    if (i > before + 1) list.insertBefore(room(i - before - 1), ref);
    let li = live.get(i);
    if (li) ref = li.nextSibling; else { li = row(items[i], i); live.set(i, li); list.insertBefore(li, ref); }
    before = i;
  }
  if (before < items.length - 1) list.append(room(items.length - 1 - before));
  const first = live.get(a); /* fonts differ, and narrow screens have two lines */
  if (first && first !== o && first.offsetHeight && Math.abs(first.offsetHeight - H) > 0 && a !== opened) { H = first.offsetHeight; live.forEach((li, i) => { if (i !== opened && li !== on) { li.remove(); live.delete(i); } }); if (slide.depth !== 1) { slide.depth = 1; slide(); slide.depth = 0; } }
}
let due = 0; const later = () => { if (!due) due = requestAnimationFrame(() => { due = 0; slide(); }); };
addEventListener('scroll', later, { passive: true, signal }); addEventListener('resize', later, { passive: true, signal });
function apply(push) {
  const by = $('#sort').value; let m;
  try { m = queryMatcher(parseQuery(q.value)); q.removeAttribute('aria-invalid'); }
  catch (e) { if (!e.message || !e.at) throw e; q.setAttribute('aria-invalid', 'true'); say.textContent = 'At character ' + e.at + ': ' + e.message + '. See “How to search”.'; return; }
  found = tests.filter(m);
  flat = by !== 'id' || found.length > WHOLE;
  const none = (x, y) => (isNaN(x) ? 1 : 0) - (isNaN(y) ? 1 : 0);
  if (by === 'took') found.sort((a, b) => none(a.dur, b.dur) || b.dur - a.dur); else if (by === 'start') found.sort((a, b) => none(a.start, b.start) || a.start - b.start);
  longest = found.reduce((m, t) => t.oc === 'unfinished' || !(t.dur > m) ? m : t.dur, 1e-6);
  items = found;
  if (!flat) { items = []; let g = null, h; for (const t of found) { if (t.group !== g) { g = t.group; h = { head: g || 'others', n: 0 }; if (g || items.length || found.some(x => x.group)) items.push(h); } h.n++; items.push(t); } }
  draw();
  const c = {}; let sum = 0; for (const t of found) { c[t.oc] = (c[t.oc] || 0) + 1; if (t.dur > 0) sum += t.dur; }
  const all = grouped(tests.length) + (tests.length === 1 ? ' test' : ' tests');
  say.textContent = found.length === tests.length ? all : found.length ? grouped(found.length) + ' of ' + all + ': ' + Object.keys(c).map(k => grouped(c[k]) + ' ' + k).join(', ') + (sum ? '; ' + dur(sum) + ' together' : '') : 'No test matches. Words must all occur in the id; see “How to search”.';
  const words = q.value.split(/\s+/); for (const b of document.querySelectorAll('button[data-q]')) b.setAttribute('aria-pressed', words.includes(b.dataset.q));
  if (push) { const p = []; if (q.value.trim()) p.push('q=' + encodeURIComponent(q.value.trim())); if (by !== 'id') p.push('sort=' + by); try { history.replaceState(null, '', p.length ? '#' + p.join('&') : location.pathname + location.search); } catch (e) { /* some viewers of files forbid it */ } }
}
const word = w => { const l = q.value.trim().split(/\s+/).filter(Boolean), i = l.indexOf(w); if (i < 0) l.push(w); else l.splice(i, 1); q.value = l.join(' '); apply(1); };
$('#tools').hidden = false;
for (const b of document.querySelectorAll('button[data-q]')) b.onclick = () => word(b.dataset.q);
for (const s of document.querySelectorAll('select[data-k]')) s.onchange = () => { const k = s.dataset.k; q.value = (q.value.replace(new RegExp('(^|\\s)' + k + '("(\\\\.|[^"])*"|\\S*)', 'g'), ' ').trim() + (s.value ? ' ' + k + s.value : '')).trim(); apply(1); };
$('#sort').onchange = () => apply(1);
let wait; q.oninput = () => { clearTimeout(wait); wait = setTimeout(() => apply(1), tests.length > 5000 ? 80 : 0); };

/* addresses: #t-HASH is a failure above or a row; #q=… is a query */
function go(quiet) {
  const h = location.hash.slice(1), p = new URLSearchParams(h);
  if (h.startsWith('q=') || h.startsWith('sort=')) { q.value = p.get('q') || ''; $('#sort').value = p.get('sort') || 'id'; apply(); if (!quiet) $('#tests').scrollIntoView(); }
  else if (!quiet && /^t-[0-9a-f]{8}(-\d+)?$/.test(h)) {
    const a = document.getElementById(h);
    if (a) { const d = $('details', a); if (d) d.open = true; a.scrollIntoView(); return; }
    const t = tests.find(t => 't-' + fnv(t.id) === h); if (t) show(t);
  }
}
function show(t) {
  if (found.indexOf(t) < 0) { q.value = ''; apply(); }
  const i = items.indexOf(t);
  if (windowed) { scrollTo(0, scrollY + list.getBoundingClientRect().top + i * H - 120); slide(); }
  const li = windowed ? live.get(i) : list.children[i]; if (!li) return;
  const b = $('button', li); if (b.getAttribute('aria-expanded') !== 'true') b.click(); b.focus({ preventScroll: true }); li.scrollIntoView({ block: 'center' });
}
addEventListener('hashchange', () => go(), { signal });

/* keys: / search, n and p next and previous failure, o all evidence; arrows in the list */
addEventListener('keydown', e => {
  if (e.ctrlKey || e.metaKey || e.altKey || !$('#keys').checked) return;
  const on = e.target, typing = /^(INPUT|SELECT|TEXTAREA)$/.test(on.tagName);
  if (typing) { if (e.key === 'Escape' && on === q) { q.value = ''; apply(1); } return; }
  if (e.key === '/') { e.preventDefault(); q.focus(); $('#tests').scrollIntoView(); }
  else if (e.key === 'n' || e.key === 'p') {
    const a = [...document.querySelectorAll('article')], y = x => x.getBoundingClientRect().top - 56;
    const x = e.key === 'n' ? a.find(x => y(x) > 8) : a.reverse().find(x => y(x) < -8);
    if (x) { x.scrollIntoView(); $('h3 a', x).focus({ preventScroll: true }); }
  }
  else if (e.key === 'o') { const d = [...document.querySelectorAll('article details.ev')], v = !d.every(x => x.open); d.forEach(x => x.open = v); }
  else if ((e.key === 'ArrowDown' || e.key === 'ArrowUp') && on.classList.contains('row')) {
    e.preventDefault(); const step = e.key === 'ArrowDown' ? 1 : -1;
    if (windowed) { for (const [i, li] of live) if (li === on.parentNode && items[i + step]) { wanted = i + step; slide(); wanted = -1; $('button', live.get(i + step)).focus(); break; } later(); return; }
    const next = l => step > 0 ? l.nextSibling : l.previousSibling;
    let li = next(on.parentNode); while (li && !$('button', li)) li = next(li);
    if (li) $('button', li).focus();
  }
}, { signal });

/* copy buttons exist only where they can work */
for (const c of document.querySelectorAll('.again code')) {
  const b = el('button', 'copy', 'Copy'); b.type = 'button'; b.setAttribute('aria-label', 'Copy: ' + c.textContent);
  b.onclick = async () => { try { await navigator.clipboard.writeText(c.textContent); b.textContent = 'Copied'; } catch (e) { getSelection().selectAllChildren(c); b.textContent = 'Selected'; } setTimeout(() => b.textContent = 'Copy', 1500); };
  c.after(b);
}

/* timeline: which test is under the pointer, or under the arrow keys */
const tl = $('#plot');
if (tl) {
  const end = +tl.dataset.end, lanes = [...tl.querySelectorAll('[data-lane]')].map(r => ({ n: r.dataset.lane, y: +r.getAttribute('y'), h: +r.getAttribute('height'), t: [] }));
  const of = new Map(lanes.map(l => [l.n, l])); for (const t of tests) { const l = of.get(seen(t.on)); if (l && t.start >= 0 && t.dur >= 0) l.t.push(t); } for (const l of lanes) l.t.sort((a, b) => a.start - b.start);
  const sel = sv('rect', { class: 'sel', width: 0, height: 0 }), out = $('#read'), idle = 'Point at a bar, or use the arrow keys here, to see which test it is; click or Enter goes to it.'; out.textContent = idle; tl.append(sel); let cur = null;
  const mark = (t, l) => { cur = t; if (!t) { sel.setAttribute('width', 0); out.textContent = idle; return; } for (const [k, v] of Object.entries({ x: t.start / end * 100 + '%', width: Math.max(t.dur / end * 100, .15) + '%', y: l.y, height: l.h })) sel.setAttribute(k, v); out.textContent = (t.on ? seen(t.on) + '  ' : '') + clock(t.start) + ' to ' + clock(t.start + t.dur) + '  ' + t.oc + ', ' + dur(t.dur) + ':  ' + seen(t.id); };
  const hit = e => { const b = tl.getBoundingClientRect(), s = (e.clientX - b.left) / b.width * end, y = e.clientY - b.top, l = lanes.find(l => y >= l.y - 1 && y < l.y + l.h + 2); if (!l) return mark(null); const tol = end / b.width * 2, at = l.t.filter(t => s >= t.start - tol && s <= t.start + t.dur + tol); mark(at.find(t => t.oc !== 'pass') || at[0] || null, l); };
  tl.onpointermove = hit; tl.onpointerleave = () => mark(null); tl.onclick = e => { if (e.target.closest('a')) return; hit(e); if (cur) show(cur); };
  const box = $('#tl'); box.tabIndex = 0;
  box.onkeydown = e => {
    if (e.target !== box) return;
    let l = cur && of.get(seen(cur.on)), i = l ? l.t.indexOf(cur) : -1;
    if (e.key === 'ArrowRight') i++; else if (e.key === 'ArrowLeft') i--; else if (e.key === 'ArrowDown' || e.key === 'ArrowUp') { let k = lanes.indexOf(l), s = cur ? cur.start : 0; do k += e.key === 'ArrowDown' ? 1 : -1; while (lanes[k] && !lanes[k].t.length); l = lanes[k]; if (!l) return; i = Math.max(0, l.t.findIndex(t => t.start + t.dur > s)); }
    else if (e.key === 'Enter' && cur) { show(cur); return; } else return;
    e.preventDefault(); l = l || lanes.find(l => l.t.length); if (l) mark(l.t[Math.max(0, Math.min(i, l.t.length - 1))], l);
  };
}

/* on paper all evidence is open, and of a long list there are those that did not go well */
addEventListener('beforeprint', () => {
  document.querySelectorAll('details.ev').forEach(d => d.open = true);
  if (!windowed) return;
  shown = items; const bad = found.filter(t => t.oc !== 'pass' && t.oc !== 'skip').slice(0, WHOLE);
  items = bad; draw(); say.textContent = 'On paper: ' + grouped(bad.length) + ' of ' + grouped(found.length) + ' tests, those that did not simply pass.';
}, { signal });
addEventListener('afterprint', () => { if (shown) { shown = null; apply(); } }, { signal });
apply(); if (location.hash) go(again);
document.documentElement.dataset.ready = tests.length;
