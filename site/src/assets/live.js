/* Live pages: when an event says that the page has changed, its content is fetched and replaced, and what was open,
   written and focused stays so. Without scripts a page is as it was when it was asked for. */
(() => {
'use strict';
let busy = false, again = false, events;
const main = () => document.querySelector('main');
async function replace() {
  if (busy) { again = true; return; }
  busy = true;
  try {
    const answer = await fetch(location.href, { cache: 'no-store' }), text = await answer.text();
    const from = text.indexOf('<main'), to = text.lastIndexOf('</main>');
    if (answer.ok && from >= 0 && to > from) swap(text.slice(from, to) + '</main>', text);
  } catch (error) { /* it is asked again with the next event */ }
  busy = false;
  if (again) { again = false; replace(); }
}
function swap(html, text) {
  const on = document.activeElement, id = on && on.id, range = on && on.id === 'q' ? [on.selectionStart, on.selectionEnd] : null;
  const open = [...document.querySelectorAll('article details[open]')].map(d => d.closest('article').id), y = scrollY;
  main().outerHTML = html; /* the server escapes what others wrote, and scripts put in like this do not run */
  const title = /<title>([^<]*)</.exec(text), plain = document.createElement('textarea');
  if (title) { plain.innerHTML = title[1]; document.title = plain.value; }
  dispatchEvent(new Event('replaced'));
  for (const a of open) { const d = document.querySelector('#' + CSS.escape(a) + ' details'); if (d) d.open = true; }
  scrollTo(0, y);
  const next = id && document.getElementById(id);
  if (next) { next.focus({ preventScroll: true }); if (range) next.setSelectionRange(...range); }
}
events = new EventSource(main().dataset.events);
let due = 0;
events.addEventListener('change', () => { if (!due) due = setTimeout(() => { due = 0; replace(); }, 1000); });
events.addEventListener('end', () => { events.close(); clearTimeout(due); replace(); });
})();
