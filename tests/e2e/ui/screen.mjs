// The browser and what is read off its screen. Every reading takes the figures and their index in one go, so that they
// belong together.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { url } from './cluster.mjs';

const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const DIRECTORY = process.env.SCREENSHOT_DIR;

export async function open() {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ARGS });
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, colorScheme: 'light' });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const seen = { loads: 0, errors: [] };
  page.on('load', () => (seen.loads += 1));
  page.on('pageerror', (error) => seen.errors.push(error.message));
  page.on('console', (message) => {
    // A refusal of the content policy reaches only the console.
    if (message.type() === 'error' && /Content Security Policy/.test(message.text())) seen.errors.push(message.text());
  });
  await page.goto(`${url}/ui/#/jobs`);
  return { browser, page, seen };
}

/** Goes to a section by the menu, as a person does: the document stays the same. */
export async function section(page, name) {
  await page.click(`nav[aria-label="Sections"] a:has-text("${name}")`);
  await page.waitForSelector(`main[data-page="${name.toLowerCase()}"]`);
}

export async function shoot(page, name) {
  if (!DIRECTORY) return;
  mkdirSync(DIRECTORY, { recursive: true });
  // The pointer would light up whatever lies below it.
  await page.mouse.move(0, 0);
  await page.screenshot({ path: join(DIRECTORY, name) });
}

/** The index at which each path on the page was read, and for every selector the texts or attributes found. */
export function look(page, selectors) {
  return page.evaluate((wanted) => {
    const main = document.querySelector('main');
    const found = {};
    for (const [name, { selector, attributes }] of Object.entries(wanted)) {
      found[name] = [...document.querySelectorAll(selector)].map((element) =>
        attributes
          ? Object.fromEntries(attributes.map((a) => [a, element.getAttribute(a)]))
          : element.textContent.trim(),
      );
    }
    return {
      page: main?.dataset.page,
      index: Number(main?.dataset.index),
      reads: JSON.parse(main?.dataset.reads ?? '{}'),
      ...found,
    };
  }, selectors);
}
