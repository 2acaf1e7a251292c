import { describe, expect, it } from "vitest";
import { visibleText } from "./visible-text";

describe("visibleText", () => {
  it("leaves ordinary writing of any script as it is", () => {
    for (const text of [
      "Hello,\n\tworld!",
      "می‌خواهم",
      "क्‍ष",
      "👩‍👩‍👧‍👦 ❤️ 👍🏽 1️⃣",
      "日本語 한국어 عربى עברית",
    ]) {
      expect(visibleText(text)).toBe(text);
    }
  });

  it("writes out what is hidden", () => {
    expect(visibleText("a\u200Bb")).toBe("a⟨U+200B⟩b");
    expect(visibleText("pay \u202Eme")).toBe("pay ⟨U+202E⟩me");
    expect(visibleText("x\u0007\u001B[2J")).toBe("x⟨U+0007⟩⟨U+001B⟩[2J");
    expect(visibleText("\uFEFFy\u2028")).toBe("⟨U+FEFF⟩y⟨U+2028⟩");
    expect(visibleText("ig\u{E0067}\u{E006E}")).toBe("ig⟨U+E0067⟩⟨U+E006E⟩");
  });

  it("writes out joiners and variation selectors where they carry no spelling", () => {
    expect(visibleText("a\u200Db")).toBe("a⟨U+200D⟩b");
    expect(visibleText("a\uFE0F\uFE0F")).toBe("a\uFE0F⟨U+FE0F⟩");
    expect(visibleText("\uFE00\u{E0100}")).toBe("⟨U+FE00⟩⟨U+E0100⟩");
  });

  it("changes nothing when applied to its own result", () => {
    const once = visibleText("a\u200B\u{E0001}\u202E👩‍👧");
    expect(visibleText(once)).toBe(once);
  });
});
