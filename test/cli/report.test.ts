// `dualtoken report`: a page for a folder that is a run, one sentence for one that is not.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { dualtoken, messageOf } from '../support/command.ts';
import { inFolder } from '../support/files.ts';

const test = suite('dualtoken report');

test('writes the page and names it', () =>
  inFolder(async (folder) => {
    await writeFile(
      join(folder, 'log.jsonl'),
      '{"step":1,"loss":2.5,"seconds":1}\n{"step":2,"loss":1.5,"seconds":2}\n',
    );
    const { code, stdout, stderr } = await dualtoken('report', folder, '--json');
    assert.is(code, 0, stderr);
    const path = join(folder, 'report.html');
    assert.equal(JSON.parse(stdout), { report: path });
    assert.match(await readFile(path, 'utf8'), /<!doctype html>[\s\S]*1\.500/);
    const ran = await dualtoken('report', join(folder, 'none'));
    assert.is(ran.code, 1);
    assert.match(messageOf(ran), /^dualtoken: data .*none: this is no folder of a run: .*$/);
  }));

test.run();
