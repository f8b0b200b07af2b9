import { isEveryInterface, normalizeAddress, normalizeHost } from './address.js';
import { parseInterval } from './interval.js';
import { parseNetwork } from './network.js';
import type { Setting } from './setting.js';

export type SettingValue = number | boolean | string | readonly string[];

/** What a setting may be, as the end of the sentence "it must be ...". */
export function allowedText(setting: Setting): string {
  switch (setting.kind) {
    case 'integer':
      return [
        setting.max === undefined
          ? `a whole number of at least ${setting.min}`
          : `a whole number from ${setting.min} to ${setting.max}`,
        ...(setting.words ?? []),
      ].join(', or ');
    case 'number':
      return `a finite number above ${setting.above}`;
    case 'share':
      return 'a number from 0 to 1';
    case 'boolean':
      return 'true or false';
    case 'choice':
      return `one of ${setting.values.join(', ')}`;
    case 'text':
      return 'text that is not empty';
    case 'interval':
      return 'a number of steps such as 500, or a time such as 30s, 5m or 1h';
    case 'network':
      return 'what a network allows, such as rate=1gbit,delay=5ms (kbit, mbit, gbit; us, ms, s)';
    case 'host':
      return 'a host name or an IP address, without a port';
    case 'address':
      return 'an address such as tcp://10.0.0.5:29500';
    case 'port':
      return 'a port from 0 to 65535, 0 for a free one, or nothing';
    case 'addresses':
      return 'addresses such as tcp://10.0.0.5:29501,tcp://10.0.0.6:29501';
  }
}

/** The value in its final form, or undefined if it is impossible. */
export function checkValue(setting: Setting, value: unknown): SettingValue | undefined {
  switch (setting.kind) {
    case 'integer':
      if (setting.words?.includes(value as string)) return value as string;
      return Number.isSafeInteger(value) &&
        (value as number) >= setting.min &&
        (value as number) <= (setting.max ?? Number.MAX_SAFE_INTEGER)
        ? (value as number)
        : undefined;
    case 'number':
      return Number.isFinite(value) && (value as number) > setting.above
        ? (value as number)
        : undefined;
    case 'share':
      return (value as number) >= 0 && (value as number) <= 1 ? (value as number) : undefined;
    case 'boolean':
      return typeof value === 'boolean' ? value : undefined;
    case 'choice':
      return setting.values.includes(value as string) ? (value as string) : undefined;
    case 'text':
      return typeof value === 'string' && value.trim() !== '' ? value : undefined;
    case 'interval': {
      // In a file a number of steps may be a number.
      const text = typeof value === 'number' ? String(value) : value;
      return typeof text === 'string' && parseInterval(text) ? text.trim() : undefined;
    }
    case 'network':
      return typeof value === 'string' && parseNetwork(value) ? value.trim() : undefined;
    case 'host':
      return typeof value === 'string' && !isEveryInterface(value)
        ? normalizeHost(value)
        : undefined;
    case 'address':
      return typeof value === 'string' ? normalizeAddress(value) : undefined;
    case 'port':
      if (typeof value === 'boolean') return value;
      return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 65535
        ? (value as number)
        : undefined;
    case 'addresses': {
      if (!Array.isArray(value) || value.length === 0) return undefined;
      const addresses = value.map((item) =>
        typeof item === 'string' ? normalizeAddress(item.trim()) : undefined,
      );
      return addresses.every((address) => address !== undefined) ? addresses : undefined;
    }
  }
}

/** Text of a flag or of the environment as the value that it stands for, not yet checked. */
export function parseText(setting: Setting, text: string): unknown {
  switch (setting.kind) {
    case 'integer':
      if (setting.words?.includes(text)) return text;
      return /^[+-]?\d+$/.test(text) ? Number(text) : undefined;
    case 'number':
    case 'share':
      return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
    case 'boolean':
      if (/^(true|1|yes|on)$/i.test(text)) return true;
      return /^(false|0|no|off)$/i.test(text) ? false : undefined;
    case 'port':
      if (/^(true|yes|on)$/i.test(text)) return true;
      if (/^(false|no|off)$/i.test(text)) return false;
      return /^\d+$/.test(text) ? Number(text) : undefined;
    case 'addresses':
      return text.split(',');
    default:
      return text;
  }
}
