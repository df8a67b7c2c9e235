/**
 * Lines of bash that look for what tests left behind in a guest, name it, and make a code of 0 into 1. A guest ends with
 * all that is in it, but the daemon or test that forgot it would forget it elsewhere too.
 */
export const leftoversScript = `
left=$(
  losetup --noheadings --list --output NAME,BACK-FILE
  iscsiadm --mode session 2> /dev/null
  dmsetup ls | grep --invert-match 'No devices found'
  findmnt --raw --noheadings --output TARGET,SOURCE,FSTYPE | grep -E "^($MOORED_TEST_DIR|/var/lib/moored)/| nfs4?$"
)
if [ -n "$left" ]; then
  printf 'Left behind in the guest:\\n%s\\n' "$left"
  [ "$code" != 0 ] || code=1
fi`;
