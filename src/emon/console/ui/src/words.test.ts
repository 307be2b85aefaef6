import assert from "node:assert/strict";
import { test } from "node:test";
import { levelOf, shortTitleOf, titleOf } from "./words.ts";

test("an obligation's finding is called a possible breach, a device's is not", () => {
  assert.equal(titleOf("exclusion_zone"), "Possible breach: inside an exclusion zone");
  assert.equal(titleOf("contact_lost"), "No contact with the device");
});

test("a tamper is named by its event", () => {
  assert.equal(titleOf("tamper", "strap_open"), "Device tamper: strap opened");
  assert.equal(titleOf("tamper"), "Device tamper");
});

test("an unknown kind and level still have words", () => {
  assert.equal(shortTitleOf("new_kind"), "New kind");
  assert.equal(levelOf(9)[0], "Level 9");
});
