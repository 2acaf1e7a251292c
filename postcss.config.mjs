/** Tailwind runs as a PostCSS plugin; Next finds this file by its name. */
const config = { plugins: { "@tailwindcss/postcss": {} } };

export default config;
