import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Asset {
  readonly type: string;
  readonly content: Uint8Array;
}

const SCRIPT = 'text/javascript; charset=utf-8';
const STYLE = 'text/css; charset=utf-8';

/** What the page consists of, besides the numbers: by path. */
const MODULES = [
  'main',
  'announce',
  'chart',
  'chart-marks',
  'charts',
  'colours',
  'dom',
  'happened',
  'headline',
  'lanes',
  'people',
  'plot-options',
  'store',
  'text',
  'weights',
];

/** The page says inline where its modules are: the digest by which a policy allows just that. */
export function importMapDigest({ content }: Asset): string {
  const map = /<script type="importmap">(.*?)<\/script>/.exec(
    new TextDecoder().decode(content),
  )![1]!;
  return `sha256-${createHash('sha256').update(map).digest('base64')}`;
}

/** All files of the page; there are no others, whatever a request asks for. */
export function pageAssets(): ReadonlyMap<string, Asset> {
  // The same from src and from dist, which lie beside each other.
  const own = (path: string) => readFileSync(fileURLToPath(new URL(path, import.meta.url)));
  const require = createRequire(import.meta.url);
  const uplot = require.resolve('uplot/dist/uPlot.esm.js');
  const formats = require.resolve('@tutti/telemetry/internal');
  return new Map<string, Asset>([
    ['/', { type: 'text/html; charset=utf-8', content: own('../src/page/index.html') }],
    ['/page.css', { type: STYLE, content: own('../src/page/page.css') }],
    ['/uplot.css', { type: STYLE, content: readFileSync(uplot.replace('esm.js', 'min.css')) }],
    ['/uplot.js', { type: SCRIPT, content: readFileSync(uplot) }],
    ['/internal.js', { type: SCRIPT, content: readFileSync(formats) }],
    ['/format.js', { type: SCRIPT, content: readFileSync(join(dirname(formats), 'format.js')) }],
    ['/smooth.js', { type: SCRIPT, content: own('../dist/smooth.js') }],
    ...MODULES.map((name): [string, Asset] => [
      `/${name}.js`,
      { type: SCRIPT, content: own(`../dist/page/${name}.js`) },
    ]),
  ]);
}
