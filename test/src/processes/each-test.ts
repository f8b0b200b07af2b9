import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach } from 'mocha';
import { createFolder, type Folder } from './program-files.js';
import { callRoll, type RollCall } from './roll-call.js';

/** What each test has for itself. */
export interface EachTest {
  readonly folder: Folder;
  /** The processes that it starts: none outlives the test. */
  readonly roll: RollCall;
}

/**
 * Gives each test of the suite, or of the file, in which it is called a folder and a roll of its own.
 * @param url that of the file (`import.meta.url`): hooks outside of suites hold for all files
 */
export function eachTest(url: string): EachTest {
  const file = fileURLToPath(url);
  let now: EachTest | undefined;
  beforeEach(async function () {
    if (this.currentTest?.file === file)
      now = { roll: await callRoll(), folder: await createFolder() };
  });
  afterEach(async () => {
    await now?.roll.end();
    await now?.folder.remove();
    now = undefined;
  });
  return {
    get folder() {
      return now!.folder;
    },
    get roll() {
      return now!.roll;
    },
  };
}
