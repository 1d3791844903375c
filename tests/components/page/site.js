// Looks at a site in Chromium: `node site.js ADDRESS FILE`. FILE is made when the run that goes on is to go on, and
// FILE.end when it is to end. What is wrong is on stderr, with exit code 1.
const { chromium } = require('playwright-core');
const fs = require('fs'), assert = require('node:assert/strict');
const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const [site, more] = process.argv.slice(2);
const PAGES = ['', 'runs/2', 'runs/3', 'tests', 'tests?id=tcp.hub.connect', 'compare', 'board'];

async function accessible(page, context) {
  const session = await context.newCDPSession(page);
  const { frameTree } = await session.send('Page.getFrameTree');
  const { executionContextId: contextId } = await session.send('Page.createIsolatedWorld', { frameId: frameTree.frame.id });
  await session.send('Runtime.evaluate', { expression: axe, contextId });
  const expression = 'axe.run().then(r => r.violations.map(v => v.id + ": " + v.nodes[0].html))';
  const { result } = await session.send('Runtime.evaluate', { expression, contextId, awaitPromise: true, returnByValue: true });
  assert.deepEqual(result.value, [], page.url());
}

async function open(context, path) {
  const page = await context.newPage(), bad = [];
  page.on('console', message => bad.push('console: ' + message.text()));
  page.on('pageerror', error => bad.push('error: ' + error.message));
  page.on('request', request => { if (!request.url().startsWith(site) && !request.url().startsWith('data:')) bad.push('request: ' + request.url()); });
  await page.goto(site + path);
  return [page, bad];
}

(async () => {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox'] });
  try {
    for (const options of [{}, { colorScheme: 'dark', viewport: { width: 420, height: 800 } }, { javaScriptEnabled: false }]) {
      const context = await browser.newContext(options);
      for (const path of PAGES) {
        const [page, bad] = await open(context, path);
        if (options.javaScriptEnabled !== false) {
          await accessible(page, context);
          assert.equal(await page.evaluate(() => window.bad), undefined);
          assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), path + ' is too wide');
        }
        assert.equal(await page.locator('h1').count(), 1);
        assert.equal(await page.locator('img').count(), 0);
        assert.deepEqual(bad, [], path);
        await page.close();
      }
      await context.close();
    }
    const [page, bad] = await open(await browser.newContext(), 'runs/3#q=second');
    await page.locator('#q').focus();
    fs.writeFileSync(more, '');
    await page.waitForFunction(() => document.querySelector('h1').textContent.startsWith('Going on: so far 1 of 2'));
    assert.equal(await page.evaluate(() => document.activeElement.id), 'q');
    assert.equal(await page.locator('#q').inputValue(), 'second');
    assert.match(await page.locator('#found').textContent(), /^1 of 2 tests/);
    fs.writeFileSync(more + '.end', '');
    await page.waitForFunction(() => document.querySelector('h1').textContent === 'Failed: 1 of 2 tests failed');
    assert.match(await page.title(), /^Failed: 1 of 2/);
    assert.deepEqual(bad, []);
  } finally { await browser.close(); }
})().catch(error => { console.error(error); process.exit(1); });
