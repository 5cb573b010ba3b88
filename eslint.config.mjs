import js from "@eslint/js";
import globals from "globals";

export default [
  js.configs.recommended,
  {
    files: ["web/static/js/**/*.js"],
    languageOptions: {
      ecmaVersion: 2022,
      sourceType: "module",
      globals: { ...globals.browser, L: "readonly" },
    },
    rules: {
      curly: ["error", "multi-line"],
      eqeqeq: "error",
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-new-func": "error",
      "no-var": "error",
      "prefer-const": "error",
      // Stored text reaches the page through textContent, never as markup.
      "no-restricted-properties": [
        "error",
        { property: "innerHTML", message: "Use textContent: stored text must not become markup." },
        { property: "outerHTML", message: "Use textContent: stored text must not become markup." },
        { property: "insertAdjacentHTML", message: "Use textContent: stored text must not become markup." },
        { object: "document", property: "write", message: "Build elements instead." },
      ],
    },
  },
];
