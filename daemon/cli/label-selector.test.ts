import { describe, expect, test } from 'vitest';
import { UsageError } from './exit-code.ts';
import { parseLabelSelector } from './label-selector.ts';

const labels = { app: 'web', tier: 'front', 'example.com/zone': 'a', empty: '' };

describe('parseLabelSelector', () => {
  test.each([
    ['app=web', true],
    ['app==web', true],
    ['app=db', false],
    ['app = web', true],
    ['app!=db', true],
    ['app!=web', false],
    ['missing!=x', true],
    ['app in (db, web)', true],
    ['app in (db)', false],
    ['app notin (db)', true],
    ['app notin (web,db)', false],
    ['missing notin (a)', true],
    ['missing in (a)', false],
    ['app', true],
    ['missing', false],
    ['!missing', true],
    ['!app', false],
    ['empty=', true],
    ['example.com/zone=a,app in (web,db),!missing', true],
    ['example.com/zone=a,app in (x,y)', false],
    ['constructor', false],
    ['toString!=x', true],
  ])('%s: %s', (selector, expected) => {
    expect(parseLabelSelector(selector)(labels)).toBe(expected);
  });

  test.each(['', 'a=b=c', 'a in b', 'a,', '=b', 'a>1', '!a=b'])('refuses "%s"', (selector) => {
    expect(() => parseLabelSelector(selector)).toThrow(UsageError);
  });
});
