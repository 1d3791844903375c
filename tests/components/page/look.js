// Looks at a page in Chromium: `node look.js PAGE CASE`, where CASE is small, hostile or large. What is wrong is a line
// on stderr and exit code 1; times are printed and are nobody's business.
const { chromium } = require('playwright-core');
const axe = require('fs').readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const assert = require('node:assert/strict');

const [file, which] = process.argv.slice(2), address = 'file://' + file;

async function open(browser, options, look) {
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 }, ...options });
  const page = await context.newPage(), bad = [];
  page.on('console', message => bad.push('console: ' + message.text()));
  page.on('pageerror', error => bad.push('error: ' + error.message));
  page.on('dialog', dialog => { bad.push('dialog: ' + dialog.message()); dialog.dismiss(); });
  page.on('request', request => { if (request.url() !== address && !request.url().startsWith('data:')) bad.push('request: ' + request.url()); });
  const begun = Date.now();
  await page.goto(address);
  if (options.javaScriptEnabled !== false) await page.waitForFunction(() => document.documentElement.dataset.ready != null);
  console.log('open after ' + (Date.now() - begun) + ' ms');
  await look(page, context);
  assert.deepEqual(bad, []);
  await context.close();
}

// In a world of its own, since the page lets no script in but its own.
async function accessible(page, context) {
  const session = await context.newCDPSession(page);
  const { frameTree } = await session.send('Page.getFrameTree');
  const { executionContextId: contextId } = await session.send('Page.createIsolatedWorld', { frameId: frameTree.frame.id });
  await session.send('Runtime.evaluate', { expression: axe, contextId });
  const expression = 'axe.run().then(r => r.violations.map(v => v.id + ": " + v.nodes[0].html))';
  const { result } = await session.send('Runtime.evaluate', { expression, contextId, awaitPromise: true, returnByValue: true });
  assert.deepEqual(result.value, []);
}

const found = page => page.locator('#found').textContent();
async function search(page, query) {
  await page.keyboard.press('/');
  await page.keyboard.press('Control+a');
  await page.keyboard.type(query);
  await page.waitForFunction(q => decodeURIComponent(location.hash).startsWith('#q=' + q), query);
  await page.keyboard.press('Tab'); // single keys are keys again
}

const cases = {
  async small(browser) {
    await open(browser, {}, async (page, context) => {
      await accessible(page, context);
      await search(page, 'is:fail');
      assert.match(await found(page), /^1 of 7 tests: 1 fail/);
      await page.locator('#q').focus();
      await page.keyboard.type(' is:nonsense');
      await page.waitForFunction(() => document.querySelector('#found').textContent.startsWith('At character 12: '));
      await page.keyboard.press('Escape');
      assert.equal(await found(page), '7 tests');
      await page.locator('#sort').selectOption('took');
      await page.locator('#rows .row').first().focus();
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Enter');
      assert.equal(await page.locator('#rows .row').nth(1).getAttribute('aria-expanded'), 'true');
      const closed = page.locator('article details.ev:not([open])');
      await page.keyboard.press('o');
      assert.equal(await closed.count(), 1); // the first one was open
      await page.keyboard.press('o');
      assert.equal(await closed.count(), 0);
      await page.locator('#tl').focus();
      await page.keyboard.press('ArrowRight');
      assert.match(await page.locator('#read').textContent(), /pass/);
    });
    await open(browser, { colorScheme: 'dark', viewport: { width: 420, height: 800 } }, async (page, context) => {
      await accessible(page, context);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'it is too wide');
    });
    await open(browser, { javaScriptEnabled: false }, async page => {
      assert.equal((await page.locator('pre.plain').innerText()).match(/^ /gm).length, 7);
      assert.ok(!await page.locator('#tools').isVisible());
    });
  },

  async hostile(browser) {
    await open(browser, {}, async (page, context) => {
      await accessible(page, context);
      assert.equal(await page.evaluate(() => window.bad), undefined);
      assert.equal(await page.locator('script').count(), 1);
      assert.equal(await page.locator('img').count(), 0);
      for (const row of await page.locator('#rows .row').all()) await row.click();
      for (const summary of await page.locator('article summary').all()) await summary.click();
      assert.equal(await page.evaluate(() => window.bad), undefined);
    });
    await open(browser, { javaScriptEnabled: false }, async page => assert.equal(await page.locator('img, iframe, object').count(), 0));
    // What got in all the same could do nothing; browsers say so on the console.
    const page = await browser.newPage();
    await page.goto(address);
    await page.evaluate(() => {
      document.body.insertAdjacentHTML('beforeend', '<img src=x onerror="window.bad = 1"><p style="color: red">');
      const script = document.createElement('script'); script.textContent = 'window.bad = 2'; document.body.append(script);
    });
    assert.equal(await page.evaluate(() => new Promise(done => setTimeout(() => done(window.bad)))), undefined);
  },

  async large(browser) {
    await open(browser, {}, async page => {
      for (const query of ['test 7', 'is:pass -x', '>1ms', '']) {
        const took = await page.evaluate(query => { document.querySelector('#q').value = query; const begun = performance.now(); document.querySelector('#sort').onchange(); return performance.now() - begun; }, query);
        console.log(JSON.stringify(query) + ' in ' + Math.round(took) + ' ms: ' + await found(page));
      }
      assert.ok(await page.locator('#rows > li').count() < 200, 'all rows are there');
      const first = page.locator('#rows .row').first();
      await first.click();
      await page.evaluate(() => scrollBy(0, 1e6));
      await page.waitForFunction(() => document.querySelectorAll('#rows > .room').length === 2);
      assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-expanded')), 'true');
      await page.keyboard.press('ArrowDown');
      assert.equal(await page.evaluate(() => document.activeElement.parentNode.getAttribute('aria-posinset')), '2');
    });
  },
};

(async () => {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox'] });
  try { await cases[which](browser); } finally { await browser.close(); }
})().catch(error => { console.error(error); process.exit(1); });
