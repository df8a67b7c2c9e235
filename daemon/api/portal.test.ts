import { expect, it } from 'vitest';
import { parsePortal } from './portal.ts';

it.each([
  ['192.0.2.7', '192.0.2.7:3260'],
  ['192.0.2.7:860', '192.0.2.7:860'],
  ['[2001:DB8:0::7]:3261', '[2001:db8::7]:3261'],
  ['[2001:db8::7]', '[2001:db8::7]:3260'],
  ['2001:db8::7', '[2001:db8::7]:3260'],
  ['::1', '[::1]:3260'],
  ['target.example.org:3260', undefined],
  ['192.0.2.256', undefined],
  ['192.0.02.1', undefined],
  ['192.0.2.7:0', undefined],
  ['192.0.2.7:65536', undefined],
  ['192.0.2.7:3260,1', undefined],
  ['192.0.2.7/../x', undefined],
  ['[2001:db8::7]:', undefined],
  ['[192.0.2.7]:3260', undefined],
  ['', undefined],
])('%j is %j', (text, portal) => {
  expect(parsePortal(text)).toBe(portal);
});
