import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setupCommand } from './setup-command.js';

describe('what sets TensorFlow up', () => {
  const from = join(
    '/home',
    'a',
    'project',
    'node_modules',
    '@tutti',
    'tensorflow-setup',
    'dist',
    'a.js',
  );

  it('is a script of the checkout, which it has', () => {
    const root = fileURLToPath(new URL('../../..', import.meta.url)).replace(/.$/, '');
    assert.equal(setupCommand(), `\`npm run setup\` in ${root}`);
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    assert.ok('setup' in scripts);
    const cache = '/opt/tutti';
    assert.equal(setupCommand({ cache }), `\`TUTTI_CACHE=/opt/tutti npm run setup\` in ${root}`);
  });

  it('is the command in a project that has it, and else what installs it', () => {
    const at = (has: boolean) => setupCommand({ from, hasCommand: () => has });
    assert.equal(at(true), '`npx tutti setup`');
    assert.match(at(false), /^`npm install @tutti\/cli`, then `npx tutti setup` /);
  });
});
