import { isTuttiError } from '@tutti/runtime';

/** What a check found, and what to do about it. */
export interface Finding {
  readonly name: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly found: string;
  /** What to fix; there unless all is well. */
  readonly fix?: string;
}

export type Check = () => Finding | Promise<Finding>;

export const ok = (name: string, found: string): Finding => ({ name, status: 'ok', found });

export const warn = (name: string, found: string, fix: string): Finding => ({
  name,
  status: 'warn',
  found,
  fix,
});

export const fail = (name: string, found: string, fix: string): Finding => ({
  name,
  status: 'fail',
  found,
  fix,
});

/** A check that throws has failed: the others are still wanted. */
export async function runCheck(name: string, check: Check): Promise<Finding> {
  try {
    // Unnamed wait: the caller races it.
    return await check();
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error);
    return fail(name, found, isTuttiError(error) ? error.remedy : 'See the message.');
  }
}
