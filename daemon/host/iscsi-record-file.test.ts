import { expect, it } from 'vitest';
import { SecretValue } from '../api/secret-value.ts';
import { chapSettings, withSettings } from './iscsi-record-file.ts';

const record = `# BEGIN RECORD 2.1.8
node.name = iqn.2024-01.org.example:disks
node.session.scan = auto
node.session.auth.authmethod = None
node.session.auth.username = <empty>
node.conn[0].timeo.login_timeout = 15
# END RECORD
`;

it('replaces settings, keeps the others, and ends the record where it ended', () => {
  const settings = new Map<string, string | SecretValue>([
    ['node.session.scan', 'manual'],
    ['node.conn[0].timeo.login_timeout', '10'],
    ...chapSettings('node.session.auth', { username: new SecretValue('user'), password: new SecretValue('word') }),
  ]);
  expect(withSettings(record, settings)).toBe(`# BEGIN RECORD 2.1.8
node.name = iqn.2024-01.org.example:disks
node.session.scan = manual
node.conn[0].timeo.login_timeout = 10
node.session.auth.authmethod = CHAP
node.session.auth.username = user
node.session.auth.password = word
# END RECORD
`);
});

it('says None where there is no CHAP, so that a default of iscsid.conf does not', () => {
  expect([...chapSettings('node.session.auth', undefined)]).toEqual([['node.session.auth.authmethod', 'None']]);
});

it('has the other direction of CHAP only when it is given', () => {
  const value = (text: string) => new SecretValue(text);
  const oneWay = { username: value('a'), password: value('b') };
  expect([...chapSettings('x', oneWay).keys()]).toEqual(['x.authmethod', 'x.username', 'x.password']);
  const bothWays = { ...oneWay, usernameIn: value('c'), passwordIn: value('d') };
  expect([...chapSettings('x', bothWays).keys()].slice(3)).toEqual(['x.username_in', 'x.password_in']);
});
