/** What an object has instead of a method of its class while a task runs. */
export interface Override {
  readonly target: object;
  readonly property: string;
  readonly value: unknown;
}

/**
 * Runs `task`, which is synchronous, with these in place. Layers may belong to several models, those
 * of a loaded one for instance, so nothing of ours stays on them.
 */
export function overriding<T>(overrides: readonly Override[], task: () => T): T {
  const before = overrides.map(({ target, property }) =>
    Object.getOwnPropertyDescriptor(target, property),
  );
  for (const { target, property, value } of overrides)
    Object.defineProperty(target, property, { value, configurable: true, writable: true });
  try {
    return task();
  } finally {
    for (let at = overrides.length - 1; at >= 0; at--) {
      const { target, property } = overrides[at]!;
      const descriptor = before[at];
      if (descriptor === undefined) Reflect.deleteProperty(target, property);
      else Object.defineProperty(target, property, descriptor);
    }
  }
}
