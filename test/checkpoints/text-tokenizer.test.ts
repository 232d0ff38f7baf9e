// Which tokenizers go with a text tower.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { textTokenizerFault } from '../../src/checkpoints/text-tokenizer.ts';

const test = suite('tokenizers of text towers');
const tokenizer = { vocabulary: 100, end: 99 };

test('a tower embeds all of its ids, and reads its end of a text, or, as old checkpoints do, the largest id', () => {
  assert.is(textTokenizerFault(tokenizer, { vocabulary: 100 }), null);
  assert.is(textTokenizerFault(tokenizer, { vocabulary: 100, end: 99 }), null);
  assert.is(textTokenizerFault(tokenizer, { vocabulary: 120, end: 2 }), null);
  assert.is(textTokenizerFault(tokenizer, { vocabulary: 99 }), 'vocabulary');
  assert.is(textTokenizerFault(tokenizer, { vocabulary: 100, end: 98 }), 'end');
});

test.run();
