"""The screen in a browser: a small web server, and a process of the app for every open page."""
